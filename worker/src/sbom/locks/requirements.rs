//! A requirements file of pip (<https://pip.pypa.io/en/stable/reference/requirements-file-format/>).

use super::requirement;
use crate::sbom::hash::Hash;
use crate::sbom::package::{Ecosystem, Package};
use crate::sbom::packages::Packages;

/// Most files that one requirements file may name in turn.
pub(in crate::sbom) const INCLUDES: usize = 100;

#[derive(Default)]
pub(in crate::sbom) struct Requirements {
    pub packages: Packages,
    /// The lines that name the packages, in the same order, without options.
    pub lines: Vec<String>,
    /// Other files, relative to the folder of this one.
    pub includes: Vec<String>,
    /// Files that say which versions are meant; relative as well.
    pub constraints: Vec<String>,
}

/// What pip takes for the end of a line, and we do not.
const OTHER_LINE_ENDS: [char; 9] = ['\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}'];

/// Options of a whole file that change nothing about which packages it names; with a value or without.
const OTHER_OPTIONS: [&str; 15] = [
    "-i",
    "--index-url",
    "--extra-index-url",
    "--no-deps",
    "--no-index",
    "-f",
    "--find-links",
    "--trusted-host",
    "--pre",
    "--prefer-binary",
    "--require-hashes",
    "--no-binary",
    "--only-binary",
    "--use-feature",
    "--use-pep517",
];

/// A file that pip would read otherwise is an error: what we left out would be hidden.
pub(in crate::sbom) fn read(text: &str) -> Result<Requirements, String> {
    let mut found = Requirements::default();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((at, line)) = lines.next() {
        let of_line = |error: String| format!("line {}: {error}", at + 1);
        let mut whole = line.trim_end().to_owned();
        // A comment is not continued, and ends what is.
        let is_comment = |line: &str| line.trim_start().starts_with('#');
        while !is_comment(&whole) && whole.ends_with('\\') {
            whole.pop();
            match lines.next_if(|(_, next)| !is_comment(next)) {
                Some((_, next)) => whole.push_str(next.trim_end()),
                None => break,
            }
        }
        if whole.contains(OTHER_LINE_ENDS) {
            return Err(of_line("has a line end of another kind".to_owned()));
        }
        let line = without_comment(&whole).trim();
        if !line.is_empty() {
            add(line, &mut found).map_err(of_line)?;
        }
    }
    Ok(found)
}

/// What is before a comment: a hash at the beginning, or behind white space.
fn without_comment(line: &str) -> &str {
    let mut before = ' ';
    for (at, character) in line.char_indices() {
        if character == '#' && before.is_whitespace() {
            return &line[..at];
        }
        before = character;
    }
    line
}

fn add(line: &str, found: &mut Requirements) -> Result<(), String> {
    let is_one_word = |value: &str| !value.contains(char::is_whitespace);
    if let Some(file) = option(line, &["-r", "--requirement"]).filter(|file| is_one_word(file)) {
        if file.contains("://") {
            return Err("a requirements file at an address is not read".to_owned());
        }
        found.includes.push(file.to_owned());
    } else if let Some(file) = option(line, &["-c", "--constraint"]).filter(|file| is_one_word(file)) {
        found.constraints.push(file.to_owned());
    } else if let Some(target) = option(line, &["-e", "--editable"]).filter(|target| is_one_word(target)) {
        found.packages.push(of_target(target))?;
        found.lines.push(target.to_owned());
    } else if line.starts_with('-') {
        let words: Vec<&str> = line.splitn(2, ['=', ' ', '\t']).collect();
        let is_known = OTHER_OPTIONS.contains(&words[0]) && words.get(1).is_none_or(|value| is_one_word(value.trim()));
        if !is_known {
            return Err(format!("`{line}` is not an option that is known to change no package; write each option on a line of its own"));
        }
    } else {
        // Options of this requirement follow it.
        let mut parts = line.split(" --");
        let text = parts.next().unwrap_or_default().trim();
        let hashes: Vec<Hash> = parts
            .filter_map(|part| part.trim().strip_prefix("hash").map(|rest| rest.trim_start_matches(['=', ' ']).trim()))
            .map(Hash::labelled)
            .collect::<Result<_, _>>()?;
        found.packages.push(requirement::read(text).unwrap_or_else(|| of_target(text)).with_hashes(hashes))?;
        found.lines.push(text.to_owned());
    }
    Ok(())
}

/// The path of a file that another one names relative to its own folder. What leads out of the workspace keeps its `..`.
pub(in crate::sbom) fn beside(file: &str, name: &str) -> String {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in name.split('/') {
        match (part, parts.last()) {
            ("" | ".", _) => {}
            ("..", Some(last)) if *last != ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    let path = parts.join("/");
    if name.starts_with('/') { name.to_owned() } else { path }
}

/// The value of an option in one of its spellings: `-rfile`, `-r file`, `--requirement=file`.
fn option<'a>(line: &'a str, names: &[&str]) -> Option<&'a str> {
    let value = |name: &&str| {
        let rest = line.strip_prefix(*name)?;
        let is_whole = !name.starts_with("--") || rest.starts_with(['=', ' ', '\t']);
        is_whole.then(|| rest.trim_start_matches(['=', ' ', '\t']).trim())
    };
    names.iter().find_map(value)
}

/// A path or an address: its name is in the fragment `#egg=name`, or else what it is called is its name.
fn of_target(target: &str) -> Package {
    let origin = requirement::from(target);
    let egg = target.split_once("egg=").map(|(_, rest)| rest.split(['&', '[']).next().unwrap_or_default()).filter(|egg| !egg.is_empty());
    let last = target.split(['#', '?']).next().unwrap_or_default().trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    Package::new(Ecosystem::Pypi, egg.unwrap_or(if last.is_empty() { target } else { last }), None, origin)
}
