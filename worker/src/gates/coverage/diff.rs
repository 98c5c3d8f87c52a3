//! Reads a unified diff of git: the new lines of each file. Strict: an unknown line is an error, because a file that was missed would
//! pass the gate.

use std::collections::BTreeSet;

use super::diff_path::{both_names, name_of};

/// The changes of one file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// Its path now; its last path when it is deleted.
    pub path: String,
    /// Numbers of the new lines, in the file as it is now.
    pub added: BTreeSet<u32>,
    pub is_deleted: bool,
    pub is_binary: bool,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("line {line} of the diff: {what}")]
pub(super) struct Unreadable {
    line: usize,
    what: String,
}

/// Lines between `diff --git` and the first hunk that do not matter here.
const HEADERS: &[&str] = &["index ", "old mode ", "new mode ", "similarity index ", "dissimilarity index ", "copy from ", "rename from "];

pub(super) fn read(text: &str) -> Result<Vec<Change>, Unreadable> {
    let mut changes: Vec<Change> = vec![];
    // Lines of the hunk that are still to come: old, new; and the number of the next new line.
    let (mut old_left, mut new_left, mut next) = (0u32, 0u32, 0u32);
    // Only `\n` ends a line: a carriage return is content.
    for (at, line) in text.strip_suffix('\n').unwrap_or(text).split('\n').enumerate() {
        let fail = |what: &str| Unreadable { line: at + 1, what: format!("{what}: {}", line.chars().take(80).collect::<String>()) };
        if line.is_empty() && text.is_empty() {
            break;
        }
        if old_left + new_left > 0 {
            let change = changes.last_mut().ok_or_else(|| fail("a hunk outside a file"))?;
            match line.as_bytes().first() {
                Some(b'+') if new_left > 0 => {
                    change.added.insert(next);
                    (new_left, next) = (new_left - 1, next + 1);
                }
                Some(b'-') if old_left > 0 => old_left -= 1,
                Some(b' ') | None if old_left > 0 && new_left > 0 => {
                    (old_left, new_left, next) = (old_left - 1, new_left - 1, next + 1);
                }
                Some(b'\\') => {}
                _ => return Err(fail("the hunk does not match its header")),
            }
            continue;
        }
        if let Some(names) = line.strip_prefix("diff --git ") {
            changes.push(Change { path: both_names(names).unwrap_or_default(), ..Change::default() });
            continue;
        }
        if line.starts_with("diff --cc ") || line.starts_with("diff --combined ") || line.starts_with("@@@") {
            return Err(fail("combined diffs of merges are not supported"));
        }
        if line.starts_with('\\') {
            continue;
        }
        let change = changes.last_mut().ok_or_else(|| fail("expected `diff --git`"))?;
        if let Some(hunk) = line.strip_prefix("@@ ") {
            let ((_, old), (start, new)) = ranges(hunk).ok_or_else(|| fail("a hunk header without ranges"))?;
            (old_left, new_left, next) = (old, new, start);
        } else if let Some(name) =
            line.strip_prefix("+++ ").or_else(|| line.strip_prefix("rename to ")).or_else(|| line.strip_prefix("copy to "))
        {
            if name.trim_end_matches('\t') != "/dev/null" {
                let is_bare = !line.starts_with("+++ ");
                change.path = name_of(name, is_bare).ok_or_else(|| fail("an invalid file name"))?;
            }
        } else if let Some(name) = line.strip_prefix("--- ") {
            if change.path.is_empty() && name.trim_end_matches('\t') != "/dev/null" {
                change.path = name_of(name, false).ok_or_else(|| fail("an invalid file name"))?;
            }
        } else if line.starts_with("deleted file mode ") {
            change.is_deleted = true;
        } else if line.starts_with("Binary files ") || line == "GIT binary patch" {
            change.is_binary = true;
        } else if !line.starts_with("new file mode ") && !HEADERS.iter().any(|header| line.starts_with(header)) && !change.is_binary {
            return Err(fail("not a line of a diff"));
        }
    }
    if old_left + new_left > 0 {
        return Err(Unreadable { line: text.lines().count(), what: "the diff ends within a hunk".to_owned() });
    }
    match changes.iter().position(|change| change.path.is_empty()) {
        Some(index) => Err(Unreadable { line: 0, what: format!("file {} has no name", index + 1) }),
        None => Ok(changes),
    }
}

/// `-a,b +c,d @@ …` as ((a, b), (c, d)).
fn ranges(hunk: &str) -> Option<((u32, u32), (u32, u32))> {
    let mut words = hunk.split(' ');
    let range = |word: &str| -> Option<(u32, u32)> {
        match word.split_once(',') {
            Some((start, count)) => Some((start.parse().ok()?, count.parse().ok()?)),
            None => Some((word.parse().ok()?, 1)),
        }
    };
    let old = range(words.next()?.strip_prefix('-')?)?;
    let new = range(words.next()?.strip_prefix('+')?)?;
    words.next()?.starts_with("@@").then_some((old, new))
}

#[cfg(test)]
mod tests {
    use super::{Change, read};

    fn added(change: &Change) -> Vec<u32> {
        change.added.iter().copied().collect()
    }

    #[test]
    fn renames_deletions_and_binaries_are_recognised() {
        let text = "diff --git a/old name.rs b/new name.rs\nsimilarity index 90%\nrename from old name.rs\nrename to new name.rs\n\
            index 1..2 100644\n--- a/old name.rs\t\n+++ b/new name.rs\t\n@@ -1 +1,2 @@\n-a\n+--- b\n+++ c\n\\ No newline at end of file\n\
            diff --git a/gone.py b/gone.py\ndeleted file mode 100644\nindex 1..0\n--- a/gone.py\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n-b\n\
            diff --git a/x.png b/x.png\nindex 1..2 100644\nBinary files a/x.png and b/x.png differ\n\
            diff --git a/empty.ts b/empty.ts\nnew file mode 100644\nindex 0..1\n";
        let changes = read(text).expect("a diff");
        assert_eq!(changes.iter().map(|one| one.path.as_str()).collect::<Vec<_>>(), ["new name.rs", "gone.py", "x.png", "empty.ts"]);
        assert_eq!(added(&changes[0]), [1, 2]);
        assert!(changes[1].is_deleted && changes[1].added.is_empty() && changes[2].is_binary);
    }

    #[test]
    fn quoted_names_are_decoded() {
        let text = "diff --git \"a/s\\303\\251\\t.py\" \"b/s\\303\\251\\t.py\"\nindex 1..2 100644\n--- \"a/s\\303\\251\\t.py\"\n\
            +++ \"b/s\\303\\251\\t.py\"\n@@ -3,0 +4 @@\n+x\r\n";
        let changes = read(text).expect("a diff");
        assert_eq!((changes[0].path.as_str(), added(&changes[0])), ("sé\t.py", vec![4]));
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        let merge = "diff --cc a.rs\nindex 1,2..3\n--- a/a.rs\n+++ b/a.rs\n@@@ -1,1 -1,1 +1,2 @@@\n++x\n";
        let short = "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1,3 @@\n-a\n+b\n";
        let noise = "diff --git a/a b/a\nsurprise\n";
        for text in [merge, short, noise, "@@ -1 +1 @@\n+a\n"] {
            assert!(read(text).is_err(), "{text}");
        }
        assert_eq!(read("").expect("nothing changed"), []);
    }
}
