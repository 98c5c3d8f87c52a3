//! Listings of a workspace, and what changed between two of them.

use nofx_sandbox::{Kind, Listed};

use super::manifest::{is_gits, is_object};

/// Folders with these names are left out of snapshots, unless git sees what is in them: they are large, and made again from what is there.
pub(super) const CACHES: [&str; 11] =
    [".cache", ".gradle", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox", ".venv", "__pycache__", "node_modules", "target", "venv"];

/// What is in a workspace, sorted by path.
pub(super) type Listing = Vec<Listed>;

/// A path that is not as before; `now`: none when it is gone.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change<'a> {
    pub path: &'a str,
    pub now: Option<&'a Listed>,
}

/// What changed, by path.
pub(super) fn changes<'a>(before: &'a [Listed], now: &'a [Listed]) -> Vec<Change<'a>> {
    let (mut before, mut now) = (before.iter().peekable(), now.iter().peekable());
    let mut changes = vec![];
    loop {
        match (before.peek(), now.peek()) {
            (None, None) => return changes,
            (Some(old), new) if new.is_none_or(|new| old.path < new.path) => {
                changes.push(Change { path: &old.path, now: None });
                before.next();
            }
            (old, Some(new)) if old.is_none_or(|old| new.path < old.path) => {
                changes.push(Change { path: &new.path, now: Some(new) });
                now.next();
            }
            (Some(old), Some(new)) => {
                if old != new {
                    changes.push(Change { path: &new.path, now: Some(new) });
                }
                before.next();
                now.next();
            }
            (Some(_), None) | (None, Some(_)) => unreachable!("the cases before took them"),
        }
    }
}

/// Whether a workspace is as it was. More objects of git are no change.
pub(super) fn is_unchanged(changes: &[Change<'_>]) -> bool {
    changes.iter().all(|change| is_object(change.path) && change.now.is_some())
}

/// What git keeps of a checkout beside objects. It is not the same in another clone of the same commit, so the first snapshot has it.
pub(super) fn kept_by_git(now: &[Listed]) -> impl Iterator<Item = &Listed> {
    now.iter().filter(|one| is_gits(&one.path) && !is_object(&one.path))
}

/// The caches in a workspace.
pub(super) fn caches(now: &[Listed]) -> Vec<String> {
    now.iter().filter(|one| one.is_left_out && one.kind == Kind::Folder).map(|one| one.path.clone()).collect()
}

#[cfg(test)]
mod tests {
    use nofx_sandbox::{Kind, Listed};

    use super::{changes, is_unchanged};

    fn file(path: &str, ctime_ns: i64) -> Listed {
        Listed { path: path.to_owned(), kind: Kind::File, mode: 0o644, size: 1, ctime_ns, inode: 1, is_left_out: false }
    }

    fn changed(before: &[Listed], now: &[Listed]) -> Vec<(String, bool)> {
        changes(before, now).into_iter().map(|change| (change.path.to_owned(), change.now.is_some())).collect()
    }

    #[test]
    fn what_is_new_gone_or_has_another_time_changed() {
        let before = [file("a", 1), file("b", 1), file("d", 1), file("e", 1)];
        let now = [file("a", 1), file("b", 2), file("c", 1), file("e", 1), file("f", 1)];
        let all = [("b", true), ("c", true), ("d", false), ("f", true)].map(|(path, is_there)| (path.to_owned(), is_there));
        assert_eq!(changed(&before, &now), all);
        assert_eq!(changed(&[], &now[..1]), [("a".to_owned(), true)]);
        assert_eq!(changed(&before[..1], &[]), [("a".to_owned(), false)]);
        assert!(changed(&before, &before).is_empty());
    }

    #[test]
    fn more_objects_of_git_change_nothing() {
        let (none, object) = (vec![], [file(".git/objects/ab/cd", 1)]);
        assert!(is_unchanged(&changes(&none, &object)));
        assert!(!is_unchanged(&changes(&object, &none)), "one is gone");
        assert!(!is_unchanged(&changes(&none, &[file(".git/HEAD", 1)])));
    }
}
