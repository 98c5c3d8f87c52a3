//! Changed files that need no coverage: those that the inputs exclude, and generated ones.

use std::collections::BTreeSet;

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use nofx_shared::engine::Failure;

use super::diff::Change;
use crate::gates::aside::Aside;

/// Changed files that are `linguist-generated` in the .gitattributes of the base: a change does not say so of itself.
pub(super) async fn generated(aside: &Aside<'_>, base: &str, changes: &[Change]) -> Result<BTreeSet<String>, Failure> {
    let mut out = BTreeSet::new();
    let paths: Vec<&str> = changes.iter().filter(|change| !change.added.is_empty()).map(|change| change.path.as_str()).collect();
    for some in paths.chunks(500) {
        let attributes = aside.run(base, &[["check-attr", "-z", "linguist-generated", "--"].as_slice(), some].concat()).await?;
        let words: Vec<&str> = attributes.split('\0').collect();
        out.extend(
            words.as_chunks::<3>().0.iter().filter(|[_, _, value]| matches!(*value, "set" | "true")).map(|[path, _, _]| (*path).to_owned()),
        );
    }
    Ok(out)
}

/// The input `exclude`: lines of a .gitignore in the root folder, in order.
pub(super) fn exclude(lines: &[String]) -> Result<Gitignore, Failure> {
    let refuse = |line: &str, why: &str| Failure::permanent(format!("`exclude`: `{line}` {why}"));
    let mut builder = GitignoreBuilder::new("");
    // A bracket that is never closed is a mistake, not a file's name.
    builder.allow_unclosed_class(false);
    for line in lines {
        if line.trim().is_empty() || line.starts_with('#') || line.contains('\n') {
            return Err(refuse(line, "names no file; set one pattern in each entry"));
        }
        builder.add_line(None, line).map_err(|error| refuse(line, &format!("is not a valid pattern: {error}")))?;
    }
    builder.build().map_err(|error| Failure::permanent(format!("`exclude` has no valid patterns: {error}")))
}

/// Whether a file is excluded, itself or by a folder that it is in. The folders come first, as git walks: what is in an excluded one cannot
/// be taken back.
pub(super) fn is_excluded(exclude: &Gitignore, path: &str) -> bool {
    let mut folders = path.match_indices('/').map(|(at, _)| &path[..at]);
    folders.any(|folder| exclude.matched(folder, true).is_ignore()) || exclude.matched(path, false).is_ignore()
}

#[cfg(test)]
mod tests {
    use super::{exclude, is_excluded};

    /// Expected values are what `git check-ignore --no-index` says.
    #[test]
    fn patterns_are_those_of_gitignore() {
        for (patterns, excluded, counted) in [
            (&["docs/**"][..], &["docs/a/b.md"][..], &["x/docs/a.md", "docs.md"][..]),
            (&["**/gen/*.ts"], &["gen/a.ts", "x/y/gen/a.ts"], &["gen/x/a.ts"]),
            // Without a slash a pattern matches in every folder; with one, from the root.
            (&["*.rs"], &["a.rs", "src/deep/a.rs"], &["a.rsx"]),
            (&["src/*.rs"], &["src/a.rs"], &["src/b/a.rs", "x/src/a.rs"]),
            (&["/a.rs"], &["a.rs"], &["src/a.rs"]),
            // A folder is excluded with all that is in it.
            (&["vendor"], &["vendor/a.go", "x/vendor/y/a.go"], &["vendored/a.go"]),
            (&["gen/"], &["gen/a.ts", "x/gen/a.ts"], &["gen"]),
            // A later line takes a file back, but not out of a folder that is excluded.
            (&["*.rs", "!main.rs"], &["src/lib.rs"], &["src/main.rs"]),
            (&["gen/", "!gen/a.rs"], &["gen/a.rs"], &[]),
            (&["a[bc]?.rs", "\\#x", "sp\\ "], &["abz.rs", "#x", "sp "], &["adz.rs", "x"]),
            (&[], &[], &["a.rs"]),
        ] {
            let patterns: Vec<String> = patterns.iter().map(|one| (*one).to_owned()).collect();
            let found = exclude(&patterns).expect("patterns");
            for path in excluded {
                assert!(is_excluded(&found, path), "{patterns:?} excludes {path}");
            }
            for path in counted {
                assert!(!is_excluded(&found, path), "{patterns:?} does not exclude {path}");
            }
        }
    }

    #[test]
    fn a_pattern_that_is_none_is_refused() {
        for wrong in ["a[b.rs", "", "  ", "# all", "a\n*"] {
            assert!(exclude(&[wrong.to_owned()]).is_err_and(|error| error.message.contains("`exclude`")), "{wrong:?}");
        }
    }
}
