//! uv.lock, version 1.

use serde::Deserialize;

use crate::sbom::content;
use crate::sbom::hash::Hash;
use crate::sbom::package::{Ecosystem, Origin, Package};
use crate::sbom::packages::Packages;

#[derive(Deserialize)]
struct Lock {
    version: u32,
    #[serde(default)]
    package: Vec<Entry>,
    manifest: Option<Manifest>,
}

#[derive(Deserialize)]
struct Manifest {
    /// The projects of a workspace; none when there is one project only.
    #[serde(default)]
    members: Vec<String>,
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
    /// Projects of the workspace, by their folders.
    editable: Option<String>,
    #[serde(rename = "virtual")]
    folder: Option<String>,
}

pub(super) fn read(text: &str) -> Result<Vec<Package>, String> {
    Packages::collect(parse(text)?.package.into_iter().map(package))
}

fn parse(text: &str) -> Result<Lock, String> {
    let lock: Lock = content::toml(text, "a uv.lock")?;
    if lock.version != 1 { Err(format!("has the unknown version {}", lock.version)) } else { Ok(lock) }
}

/// The name of a project that a uv.lock locks: that of its root folder, or else a member of its workspace. Whichever it is, uv takes the
/// packages of all of them.
pub(crate) fn uv_project(text: &str) -> Result<String, String> {
    let lock = parse(text)?;
    let is_root = |source: &Source| source.editable.as_deref().or(source.folder.as_deref()) == Some(".");
    let root = lock.package.into_iter().find(|entry| is_root(&entry.source)).map(|entry| entry.name);
    let name = root.or_else(|| lock.manifest?.members.into_iter().next()).ok_or("names no project that it locks")?;
    // It is written into a pyproject.toml.
    let is_plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if is_plain { Ok(name) } else { Err(format!("{:?} is not the name of a project", name.chars().take(80).collect::<String>())) }
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

#[cfg(test)]
mod tests {
    use super::uv_project;

    #[test]
    fn the_project_is_that_of_the_root_or_a_member() {
        let of = |text: &str| uv_project(&format!("version = 1\n{text}"));
        let entry = |name: &str, source: &str| format!("[[package]]\nname = \"{name}\"\nsource = {{ {source} }}\n");
        let lib = entry("lib", "editable = \"lib\"");
        for source in ["virtual = \".\"", "editable = \".\""] {
            assert_eq!(of(&format!("{lib}{}", entry("app", source))), Ok("app".to_owned()));
        }
        assert_eq!(of(&format!("[manifest]\nmembers = [\"lib\"]\n{lib}")), Ok("lib".to_owned()));
        for wrong in [lib, String::new(), entry("a\\n[tool.uv]", "virtual = \".\"")] {
            assert!(of(&wrong).is_err(), "{wrong}");
        }
        assert!(uv_project("version = 2\n").is_err());
    }
}
