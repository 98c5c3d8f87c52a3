//! uv.lock, version 1.

use serde::Deserialize;

use crate::sbom::hash::Hash;
use crate::sbom::package::{Ecosystem, Origin, Package};

#[derive(Deserialize)]
struct Lock {
    version: u32,
    #[serde(default)]
    package: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    /// Missing for projects of the workspace with a version that is computed.
    version: Option<String>,
    source: Source,
    sdist: Option<File>,
    #[serde(default)]
    wheels: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    /// Missing where an index has none.
    hash: Option<String>,
}

/// One of them; all others (`path`, `directory`, `editable`, `virtual`) are folders or files of the machine.
#[derive(Deserialize)]
struct Source {
    registry: Option<String>,
    /// With the commit as the fragment.
    git: Option<String>,
    url: Option<String>,
}

pub(super) fn read(text: &str) -> Result<Vec<Package>, String> {
    let lock: Lock = toml::from_str(text).map_err(|error| format!("is not a uv.lock: {error}"))?;
    if lock.version != 1 {
        return Err(format!("has the unknown version {}", lock.version));
    }
    lock.package.into_iter().map(package).collect()
}

fn package(entry: Entry) -> Result<Package, String> {
    let origin = match entry.source {
        Source { registry: Some(_), .. } => Origin::Registry,
        Source { git: Some(git), .. } => Origin::git(&git, git.rsplit_once('#').map(|(_, commit)| commit)),
        Source { url: Some(url), .. } => Origin::url(&url),
        _ => Origin::Local,
    };
    let files = entry.sdist.iter().chain(&entry.wheels);
    let hashes: Vec<Hash> = files.filter_map(|file| file.hash.as_deref()).map(Hash::labelled).collect::<Result<_, _>>()?;
    Ok(Package::new(Ecosystem::Pypi, entry.name, entry.version, origin).with_hashes(hashes))
}
