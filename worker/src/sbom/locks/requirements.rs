//! A requirements file of pip (<https://pip.pypa.io/en/stable/reference/requirements-file-format/>).

use super::requirement;
use crate::sbom::hash::Hash;
use crate::sbom::package::{Ecosystem, Package};

/// Most files that one requirements file may name in turn.
pub(in crate::sbom) const INCLUDES: usize = 100;

#[derive(Default)]
pub(in crate::sbom) struct Requirements {
    pub packages: Vec<Package>,
    /// The lines that name the packages, in the same order, without options.
    pub lines: Vec<String>,
    /// Other files, relative to the folder of this one.
    pub includes: Vec<String>,
    /// Files that say which versions are meant; relative as well.
    pub constraints: Vec<String>,
}

pub(in crate::sbom) fn read(text: &str) -> Result<Requirements, String> {
    let mut found = Requirements::default();
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let mut whole = line.trim_end().to_owned();
        while whole.ends_with('\\') {
            whole.pop();
            whole.push_str(lines.next().map_or("", |(_, next)| next.trim_end()));
        }
        let line = if whole.trim_start().starts_with('#') { "" } else { whole.split(" #").next().unwrap_or_default().trim() };
        if !line.is_empty() {
            add(line, &mut found).map_err(|error| format!("line {}: {error}", at + 1))?;
        }
    }
    Ok(found)
}

fn add(line: &str, found: &mut Requirements) -> Result<(), String> {
    if let Some(file) = option(line, &["-r", "--requirement"]) {
        if file.contains("://") {
            return Err("a requirements file at an address is not read".to_owned());
        }
        found.includes.push(file.to_owned());
    } else if let Some(file) = option(line, &["-c", "--constraint"]) {
        found.constraints.push(file.to_owned());
    } else if let Some(target) = option(line, &["-e", "--editable"]) {
        found.packages.push(of_target(target));
        found.lines.push(target.to_owned());
    } else if !line.starts_with('-') {
        // Options of this requirement follow it.
        let mut parts = line.split(" --");
        let text = parts.next().unwrap_or_default().trim();
        let hashes: Vec<Hash> = parts
            .filter_map(|part| part.trim().strip_prefix("hash").map(|rest| rest.trim_start_matches(['=', ' ']).trim()))
            .map(Hash::labelled)
            .collect::<Result<_, _>>()?;
        found.packages.push(requirement::read(text).unwrap_or_else(|| of_target(text)).with_hashes(hashes));
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
