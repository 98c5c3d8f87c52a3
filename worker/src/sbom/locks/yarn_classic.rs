//! yarn.lock of yarn 1 (<https://classic.yarnpkg.com/lang/en/docs/yarn-lock/>): its own format of lines, for which no crate is maintained.
//! An entry begins in the first column with the ranges that it satisfies; its fields are indented by two spaces, what they hold by four.

use super::npm::address;
use crate::sbom::hash::Hash;
use crate::sbom::package::{Ecosystem, Origin, Package};
use crate::sbom::packages::Packages;

struct Entry<'a> {
    line: usize,
    /// The first range: `name@^1.0.0`.
    range: String,
    version: Option<&'a str>,
    resolved: Option<&'a str>,
    integrity: Option<&'a str>,
}

pub(super) fn read(text: &str) -> Result<Vec<Package>, String> {
    if !text.lines().any(|line| line.trim_end() == "# yarn lockfile v1") {
        return Err("is a yarn.lock of neither yarn 1 nor a later yarn".to_owned());
    }
    let mut entries: Vec<Entry<'_>> = vec![];
    for (at, line) in text.lines().enumerate() {
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let indent = line.len() - line.trim_start_matches(' ').len();
        match (indent, entries.last_mut()) {
            (0, _) => {
                let range = content.strip_suffix(':').and_then(first).ok_or_else(|| format!("line {} is not `range:`", at + 1))?;
                entries.push(Entry { line: at + 1, range, version: None, resolved: None, integrity: None });
            }
            (2, Some(entry)) => {
                set(entry, content).ok_or_else(|| format!("line {} is not a field, or one that is there already", at + 1))?
            }
            // What the package needs: each has an entry of its own.
            (4, Some(_)) => {}
            _ => return Err(format!("line {} is indented by {indent} spaces", at + 1)),
        }
    }
    Packages::collect(entries.iter().map(package))
}

/// The first of the ranges before the colon, which are quoted where they have to be. None when they name several packages: one of them would
/// be hidden.
fn first(ranges: &str) -> Option<String> {
    let plain = |range: &str| match range.strip_prefix('"') {
        Some(_) => serde_json::from_str(range).ok(),
        None => (!range.contains(['"', ','])).then(|| range.to_owned()),
    };
    let all: Vec<String> = ranges.split(", ").map(plain).collect::<Option<_>>()?;
    let names: Vec<Option<&str>> = all.iter().map(|range| package_of(range)).collect();
    names.windows(2).all(|pair| pair[0] == pair[1]).then(|| all.into_iter().next()).flatten()
}

/// The package of a range: `real` of `real@^1`, and of `alias@npm:real@^1`.
fn package_of(range: &str) -> Option<&str> {
    // A name may begin with an `@`.
    let at = range.char_indices().skip(1).find(|(_, character)| *character == '@')?.0;
    range[at + 1..].strip_prefix("npm:").map_or(Some(&range[..at]), |real| package_of(real).or(Some(real)))
}

fn set<'a>(entry: &mut Entry<'a>, content: &'a str) -> Option<()> {
    let (name, value) = match content.split_once(' ') {
        Some(field) => field,
        // A field that holds a list: `dependencies:`.
        None => return content.ends_with(':').then_some(()),
    };
    let value = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    let field = match name {
        "version" => &mut entry.version,
        "resolved" => &mut entry.resolved,
        "integrity" => &mut entry.integrity,
        _ => return Some(()),
    };
    field.replace(value).is_none().then_some(())
}

fn package(entry: &Entry<'_>) -> Result<Package, String> {
    let wrong = |what: &str| format!("the entry in line {} has no {what}", entry.line);
    let version = entry.version.ok_or_else(|| wrong("version"))?;
    // The first character may be that of a scope.
    let split =
        |text: &str| text.char_indices().skip(1).find(|(_, c)| *c == '@').map(|(at, _)| (text[..at].to_owned(), text[at + 1..].to_owned()));
    let (name, range) = split(&entry.range).ok_or_else(|| wrong("name and range"))?;
    let alias = range.strip_prefix("npm:").map(|rest| split(rest).map_or_else(|| rest.to_owned(), |(name, _)| name));
    let origin = match entry.resolved {
        Some(resolved) if resolved.contains("/-/") => Origin::Registry,
        Some(resolved) => address(resolved),
        None => Origin::Local,
    };
    let hashes = entry.integrity.map(Hash::integrity).transpose()?.unwrap_or_default();
    Ok(Package::new(Ecosystem::Npm, alias.unwrap_or(name), Some(version.to_owned()), origin).with_hashes(hashes))
}

#[cfg(test)]
mod tests {
    use super::first;

    #[test]
    fn the_ranges_of_an_entry_are_of_one_package() {
        for (ranges, expected) in [
            ("a@^1, a@^1.1", Some("a@^1")),
            ("\"@s/a@^1\", \"@s/a@^2\"", Some("@s/a@^1")),
            ("b@npm:a@^1, a@^1", Some("b@npm:a@^1")),
            ("a@4.17.0, lodash@4.17.0", None),
            ("a@npm:lodash@4, a@^4", None),
        ] {
            assert_eq!(first(ranges).as_deref(), expected, "{ranges}");
        }
    }
}
