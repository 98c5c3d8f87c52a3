//! What a step begins with that needs several: all that each of them changed. Who changed a path when is known, so nothing is asked of the
//! contents but whether they are the same.

use std::collections::{BTreeMap, BTreeSet};

use super::manifest::{Entry, Manifest, is_gits, is_object};

/// Names of paths in a failure.
const NAMED: usize = 10;
const INDEX: &str = ".git/index";
/// What git writes down for people; no git reads it to decide anything.
const NOTES: [&str; 4] = [".git/logs", ".git/FETCH_HEAD", ".git/ORIG_HEAD", ".git/COMMIT_EDITMSG"];

#[derive(Debug)]
pub(super) struct Merged {
    pub manifest: Manifest,
    /// The index that git compares with is in none of them any more: it is made anew from the commit.
    pub needs_index: bool,
}

/// All of them together. The error names paths that two of them changed differently, and the steps that did.
pub(super) fn merge(all: Vec<Manifest>) -> Result<Merged, String> {
    let mut manifest = Manifest::of(all.iter().find_map(|one| one.commit.clone()));
    let mut paths: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for one in all {
        manifest.left_out.extend(one.left_out);
        manifest.entered.extend(one.entered);
        for (path, entry) in one.entries {
            paths.entry(path).or_default().push(entry);
        }
    }
    let (mut needs_index, mut conflicts, mut steps) = (false, vec![], BTreeSet::new());
    for (path, mut entries) in paths {
        entries.sort_by(|a, b| b.by.len().cmp(&a.by.len()).then_with(|| a.by.cmp(&b.by)));
        let newest = entries.swap_remove(0);
        let other = entries.into_iter().find(|entry| !is_followed(entry, &newest) && !entry.state.is_same(&newest.state));
        match other {
            None => drop(manifest.entries.insert(path, newest)),
            Some(_) if path == INDEX => needs_index = true,
            Some(_) if is_any(&path) => drop(manifest.entries.insert(path, newest)),
            Some(other) if newest.is_ignored && other.is_ignored && !is_gits(&path) => {
                let why = format!("`{}` and `{}` left different ones", last(&newest), last(&other));
                manifest.left_out.insert(path, why);
            }
            Some(other) => {
                steps.extend([last(&newest).to_owned(), last(&other).to_owned()]);
                conflicts.push(path);
            }
        }
    }
    if conflicts.is_empty() {
        return Ok(Merged { manifest, needs_index });
    }
    let more = conflicts.len().saturating_sub(NAMED);
    conflicts.truncate(NAMED);
    let steps: Vec<_> = steps.into_iter().collect();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Err(format!(
        "`{}` changed the same paths differently: `{}`{more}; let one of these steps need the other",
        steps.join("`, `"),
        conflicts.join("`, `")
    ))
}

/// Whether the newest was made from this one.
fn is_followed(entry: &Entry, newest: &Entry) -> bool {
    newest.by.starts_with(&entry.by)
}

fn is_any(path: &str) -> bool {
    is_object(path) || NOTES.iter().any(|note| path.strip_prefix(note).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

fn last(entry: &Entry) -> &str {
    entry.by.last().map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::super::manifest::{Manifest, State};
    use super::merge;

    fn file(content: &str) -> State {
        State::File { mode: 0o644, size: 1, mtime_ns: 0, sha256: content.to_owned(), blob: String::new(), pack: "p".to_owned(), at: 0 }
    }

    /// A manifest of changes: step, path, content; `-` for gone.
    fn of(changes: &[(&str, &str, &str)]) -> Manifest {
        let mut manifest = Manifest::default();
        for (step, path, content) in changes {
            let state = if *content == "-" { State::Gone } else { file(content) };
            manifest.change(path, state, path.starts_with("ignored"), step);
        }
        manifest
    }

    fn content(manifest: &Manifest, path: &str) -> Option<String> {
        match &manifest.entries.get(path)?.state {
            State::File { sha256, .. } => Some(sha256.clone()),
            _ => Some("-".to_owned()),
        }
    }

    #[test]
    fn what_each_branch_changed_is_there() {
        let base = ("a", "f", "1");
        let merged = merge(vec![of(&[base, ("x", "g", "x")]), of(&[base, ("y", "h", "y"), ("y", "f", "2")]), of(&[base, ("z", "f", "-")])]);
        assert!(merged.is_err_and(|why| why.contains("`f`") && why.contains("`y`, `z`")));
        let merged = merge(vec![of(&[base, ("x", "g", "x")]), of(&[base, ("y", "h", "y"), ("y", "f", "2")]), of(&[])]).expect("merged");
        let found = ["f", "g", "h"].map(|path| content(&merged.manifest, path).expect("it is there"));
        assert_eq!(found, ["2", "x", "y"], "who went on from the same one is newer");
    }

    #[test]
    fn a_branch_that_takes_its_change_back_is_newer_than_one_that_did_not_touch_it() {
        let one = of(&[("a", "f", "1"), ("x", "f", "2"), ("y", "f", "1")]);
        let merged = merge(vec![of(&[("a", "f", "1")]), one.clone()]).expect("merged");
        assert_eq!(merged.manifest, one);
    }

    #[test]
    fn the_same_change_twice_is_no_conflict_and_the_order_of_branches_does_not_matter() {
        let (one, other) = (of(&[("x", "f", "1"), ("x", "g", "-")]), of(&[("y", "f", "1"), ("y", "g", "-")]));
        let merged = merge(vec![one.clone(), other.clone()]).expect("merged").manifest;
        assert_eq!(merged.digest(), merge(vec![other, one]).expect("merged").manifest.digest());
        assert_eq!(content(&merged, "g").as_deref(), Some("-"));
    }

    #[test]
    fn what_git_keeps_for_itself_and_ignored_files_fail_nothing() {
        let of = |step, content| of(&[(step, ".git/index", content), (step, ".git/logs/HEAD", content), (step, "ignored.xml", content)]);
        let merged = merge(vec![of("x", "1"), of("y", "2")]).expect("merged");
        assert!(merged.needs_index && content(&merged.manifest, ".git/index").is_none());
        assert_eq!(content(&merged.manifest, "ignored.xml"), None, "neither of them: both would be a race");
        assert_eq!(merged.manifest.left_out["ignored.xml"], "`x` and `y` left different ones");
        let head = |step, content| super::tests::of(&[(step, ".git/HEAD", content)]);
        assert!(merge(vec![head("x", "1"), head("y", "2")]).is_err_and(|why| why.contains(".git/HEAD")));
    }
}
