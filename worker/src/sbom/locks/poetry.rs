//! poetry.lock, versions 1 and 2.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::versions::pins;
use crate::sbom::content;
use crate::sbom::hash::Hash;
use crate::sbom::package::{Ecosystem, Origin, Package};
use crate::sbom::packages::Packages;

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Entry>,
    metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Metadata {
    lock_version: String,
    /// The files of each package; in early versions only.
    #[serde(default)]
    files: BTreeMap<String, Vec<File>>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    version: String,
    #[serde(default)]
    files: Vec<File>,
    source: Option<Source>,
}

#[derive(Deserialize)]
struct File {
    hash: String,
}

#[derive(Deserialize)]
struct Source {
    /// `git`, `directory`, `file`, `url`, or `legacy`, which is another index than the public one.
    #[serde(rename = "type")]
    kind: Option<String>,
    url: String,
    resolved_reference: Option<String>,
}

pub(super) fn read(text: &str) -> Result<Vec<Package>, String> {
    let mut lock: Lock = content::toml(text, "a poetry.lock")?;
    if !matches!(lock.metadata.lock_version.split('.').next(), Some("1" | "2")) {
        return Err(format!("has the unknown version {}", lock.metadata.lock_version));
    }
    let packages = lock.package.into_iter().map(|mut entry| {
        entry.files.extend(lock.metadata.files.remove(&entry.name).unwrap_or_default());
        package(entry)
    });
    Packages::collect(packages)
}

fn package(entry: Entry) -> Result<Package, String> {
    let origin = match entry.source {
        None => Origin::Registry,
        Some(source) => match source.kind.as_deref() {
            Some("git") => Origin::git(&source.url, source.resolved_reference.as_deref()),
            Some("directory" | "file") => Origin::Local,
            Some("url") => Origin::url(&source.url),
            _ => Origin::Registry,
        },
    };
    let hashes: Vec<Hash> = entry.files.iter().map(|file| Hash::labelled(&file.hash)).collect::<Result<_, _>>()?;
    Ok(Package::new(Ecosystem::Pypi, entry.name, Some(entry.version), origin).with_hashes(hashes))
}

/// The packages of a poetry.lock that a registry could know, as lines `name==version` of requirements files: as many files as there are
/// versions of one package, since a requirements file has one version of each.
pub(crate) fn poetry_requirements(text: &str) -> Result<Vec<Vec<String>>, String> {
    pins(read(text)?)
}

#[cfg(test)]
mod tests {
    use super::poetry_requirements;

    fn of(packages: &[(&str, &str)]) -> Result<Vec<Vec<String>>, String> {
        let entry = |(name, version): &(&str, &str)| format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nfiles = []\n");
        poetry_requirements(&format!("{}[metadata]\nlock-version = \"2.1\"\n", packages.iter().map(entry).collect::<String>()))
    }

    #[test]
    fn a_requirements_file_has_one_version_of_each_package() {
        let files = of(&[("b", "1.0"), ("A_x", "1.0"), ("a-x", "2.0"), ("b", "1.0")]).expect("files");
        assert_eq!(files, [["a-x==1.0", "b==1.0"].map(str::to_owned).to_vec(), vec!["a-x==2.0".to_owned()]]);
        assert_eq!(of(&[]), Ok(vec![vec![]]));
    }

    #[test]
    fn no_package_is_an_option_of_pip() {
        for (name, version) in [("a", "1 --index-url https://h.example"), ("a\\n-r x", "1"), ("a", ""), ("", "1"), ("a", "1;x")] {
            assert!(of(&[(name, version)]).is_err(), "{name} {version}");
        }
    }
}
