//! Changed files that need no coverage: those that the inputs exclude, and generated ones.

use std::collections::BTreeSet;

use nofx_shared::engine::Failure;
use regex::Regex;

use super::diff::Change;
use crate::workspace::Git;

/// Changed files that are `linguist-generated` in .gitattributes.
pub(super) async fn generated(git: &Git<'_>, changes: &[Change]) -> Result<BTreeSet<String>, Failure> {
    let mut out = BTreeSet::new();
    let paths: Vec<&str> = changes.iter().filter(|change| !change.added.is_empty()).map(|change| change.path.as_str()).collect();
    for some in paths.chunks(500) {
        let attributes = git.run(&[["check-attr", "-z", "linguist-generated", "--"].as_slice(), some].concat()).await?;
        let words: Vec<&str> = attributes.split('\0').collect();
        out.extend(
            words.as_chunks::<3>().0.iter().filter(|[_, _, value]| matches!(*value, "set" | "true")).map(|[path, _, _]| (*path).to_owned()),
        );
    }
    Ok(out)
}

/// A glob as a regular expression: `**` is any folders, `*` and `?` stay within a name.
pub(super) fn pattern(glob: &str) -> Result<Regex, Failure> {
    let mut out = String::from("^");
    let mut rest = glob;
    while !rest.is_empty() {
        let (taken, written) = match rest.as_bytes() {
            [b'*', b'*', b'/', ..] => (3, "(?:.*/)?".to_owned()),
            [b'*', b'*', ..] => (2, ".*".to_owned()),
            [b'*', ..] => (1, "[^/]*".to_owned()),
            [b'?', ..] => (1, "[^/]".to_owned()),
            _ => {
                let length = rest.chars().next().map_or(1, char::len_utf8);
                (length, regex::escape(&rest[..length]))
            }
        };
        out.push_str(&written);
        rest = &rest[taken..];
    }
    out.push('$');
    Regex::new(&out).map_err(|_| Failure::permanent(format!("`exclude`: `{glob}` is not a valid pattern")))
}

#[cfg(test)]
mod tests {
    #[test]
    fn patterns_are_those_of_gitignore() {
        let fits = |glob: &str, path: &str| super::pattern(glob).is_ok_and(|one| one.is_match(path));
        assert!(
            fits("docs/**", "docs/a/b.md")
                && fits("**/gen/*.ts", "gen/a.ts")
                && fits("**/gen/*.ts", "x/y/gen/a.ts")
                && fits("a?.rs", "ab.rs")
        );
        assert!(!fits("*.rs", "src/a.rs") && !fits("src/*.rs", "src/a/b.rs") && !fits("a.rs", "axrs"));
    }
}
