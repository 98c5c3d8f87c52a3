//! go.mod (<https://go.dev/ref/mod#go-mod-file>): the modules that it requires, with its replacements. From Go 1.17 on it lists all that
//! a build uses.

use std::collections::BTreeMap;

use crate::sbom::package::{Ecosystem, Origin, Package};
use crate::sbom::packages::Packages;

/// A module and the version that is replaced, or all versions.
type Replaced<'a> = (&'a str, Option<&'a str>);

/// More words of a line than any directive has that is read.
const WORDS: usize = 7;

pub(super) fn read(text: &str) -> Result<Vec<Package>, String> {
    let (mut required, mut replaced) = (vec![], BTreeMap::new());
    let mut block: Option<&str> = None;
    for (at, line) in text.lines().enumerate() {
        let wrong = |what: &str| format!("line {} is not {what}", at + 1);
        let words: Vec<&str> = line.split("//").next().unwrap_or_default().split_whitespace().take(WORDS).map(unquote).collect();
        let (directive, words) = match (block, &words[..]) {
            (_, []) => continue,
            (Some(_), [")"]) => {
                block = None;
                continue;
            }
            (Some(directive), words) => (directive, words),
            (None, [directive, "("]) => {
                block = Some(directive);
                continue;
            }
            (None, [directive, words @ ..]) => (*directive, words),
        };
        match (directive, words) {
            ("require", [name, version]) => required.push((*name, *version)),
            ("require", _) => return Err(wrong("`module version`")),
            ("replace", _) => {
                let (old, new) = replacement(words).ok_or_else(|| wrong("`module => module version` or `module => folder`"))?;
                replaced.insert(old, new);
            }
            _ => {}
        }
    }
    if block.is_some() {
        return Err("ends within a block".to_owned());
    }
    let one = |(name, version): (&str, &str)| {
        let new = replaced.get(&(name, Some(version))).or_else(|| replaced.get(&(name, None)));
        match new {
            None => Package::new(Ecosystem::Golang, name, Some(version.to_owned()), Origin::Registry),
            Some((name, Some(version))) => Package::new(Ecosystem::Golang, *name, Some((*version).to_owned()), Origin::Registry),
            Some((_, None)) => Package::new(Ecosystem::Golang, name, Some(version.to_owned()), Origin::Local),
        }
    };
    Packages::collect(required.into_iter().map(one).map(Ok))
}

/// What is replaced, and by what: a module with its version, or a folder.
fn replacement<'a>(words: &[&'a str]) -> Option<(Replaced<'a>, Replaced<'a>)> {
    let at = words.iter().position(|word| *word == "=>")?;
    let side = |words: &[&'a str]| match words {
        [name] => Some((*name, None)),
        [name, version] => Some((*name, Some(*version))),
        _ => None,
    };
    Some((side(&words[..at])?, side(&words[at + 1..])?))
}

fn unquote(word: &str) -> &str {
    let inner = |quote: char| word.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inner('"').or_else(|| inner('`')).unwrap_or(word)
}
