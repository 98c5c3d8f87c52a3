use uuid::Uuid;

use super::Folders;

#[test]
fn a_process_gets_a_prepared_folder_that_is_nobody_elses() {
    let root = tempfile::tempdir().expect("a folder");
    let mut folders = Folders::new(&root.path().join("w"), "test", None).expect("folders");
    let workspace = folders.create(Uuid::nil()).expect("a workspace");
    let prepared = folders.scratch(Some(None)).expect("a scratch folder");
    let shared = folders.shared_scratch(&workspace).expect("a scratch folder");
    assert_eq!(folders.prepared(&prepared, None), Ok(prepared.clone()));
    let inside = prepared.join("inside");
    std::fs::create_dir(&inside).expect("a folder");
    for other in [&workspace, &shared, &inside, &prepared.join("../.."), &root.path().to_owned()] {
        assert!(folders.prepared(other, None).is_err(), "{}", other.display());
    }
    assert!(folders.prepared(&prepared, Some(20_000)).is_err(), "it is another user's");
}

#[test]
fn what_a_supervisor_has_left_is_found_when_it_is_gone() {
    let root = tempfile::tempdir().expect("a folder");
    let root = root.path().join("workspaces");
    let start = |name: &str| Folders::new(&root, name, None).expect("it starts");
    let (mut one, mut other) = (start("one"), start("other.of-x.1"));
    let run = Uuid::now_v7();
    let [new, scratch] = [one.create(run).expect("a folder"), one.scratch(None).expect("a folder")];
    let theirs = [other.create(run).expect("a folder"), other.scratch(None).expect("a folder")];
    assert!(one.left().is_empty() && other.left().is_empty(), "both live");
    drop(one);
    // Children that other tests start at this moment still have its lock.
    let mut left = other.left();
    while left.len() < 2 {
        left = other.left();
    }
    left.sort();
    let mut expected = vec![new, scratch];
    expected.sort();
    assert_eq!(left, expected);
    assert!(theirs.iter().all(|folder| folder.is_dir()));
    // The same process started again.
    assert_eq!(start("one").left().len(), 2);
}
