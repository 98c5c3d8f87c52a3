//! Cargo.lock, versions 1 to 4 (<https://doc.rust-lang.org/cargo/reference/resolver.html>). The checksums of version 1, a table of their
//! own, are not read.

use serde::Deserialize;

use crate::sbom::content;
use crate::sbom::hash::Hash;
use crate::sbom::package::{Ecosystem, Origin, Package};
use crate::sbom::packages::Packages;

#[derive(Deserialize)]
struct Lock {
    /// Missing in versions 1 and 2.
    version: Option<u32>,
    #[serde(default)]
    package: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    version: String,
    /// Missing for the crates of the workspace.
    source: Option<String>,
    checksum: Option<String>,
}

pub(super) fn read(text: &str) -> Result<Vec<Package>, String> {
    let lock: Lock = content::toml(text, "a Cargo.lock")?;
    if let Some(version @ 5..) = lock.version {
        return Err(format!("has the unknown version {version}"));
    }
    Packages::collect(lock.package.into_iter().map(package))
}

fn package(entry: Entry) -> Result<Package, String> {
    let origin = match entry.source.as_deref() {
        None => Origin::Local,
        // The commit is the fragment.
        Some(source) if source.starts_with("git+") => Origin::git(source, source.rsplit_once('#').map(|(_, commit)| commit)),
        Some(_) => Origin::Registry,
    };
    let hash = entry.checksum.map(|sum| Hash::labelled(&format!("sha256:{sum}"))).transpose()?;
    Ok(Package::new(Ecosystem::Cargo, entry.name, Some(entry.version), origin).with_hashes(hash))
}
