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
