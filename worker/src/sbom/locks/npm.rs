//! package-lock.json and npm-shrinkwrap.json, versions 1 to 3 (<https://docs.npmjs.com/cli/configuring-npm/package-lock-json>).

use serde::Deserialize;

use super::entries::Entries;
use crate::sbom::hash::Hash;
use crate::sbom::licence::Licence;
use crate::sbom::package::{Ecosystem, Origin, Package};
use crate::sbom::packages::Packages;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Lock {
    lockfile_version: u32,
    /// By folder; from version 2 on.
    packages: Option<Entries<Entry>>,
    /// By name; version 1, and in version 2 the same once more.
    dependencies: Option<Entries<Dependency>>,
}

#[derive(Deserialize)]
struct Entry {
    /// Where it is not that of the folder: an alias, or a package of the workspace.
    name: Option<String>,
    version: Option<String>,
    resolved: Option<Resolved>,
    integrity: Option<String>,
    license: Option<Licence>,
    /// It is a package of the workspace, which has an entry of its own.
    #[serde(default)]
    link: bool,
}

#[derive(Deserialize)]
struct Dependency {
    /// A version, or an address.
    version: String,
    resolved: Option<Resolved>,
    integrity: Option<String>,
    dependencies: Option<Entries<Dependency>>,
}

/// An address; npm writes `false` or `true` when it has none to write.
#[derive(Deserialize)]
#[serde(untagged, expecting = "`resolved` is a text or a boolean")]
enum Resolved {
    Address(String),
    Unknown(#[expect(dead_code, reason = "only its type is checked")] bool),
}

pub(super) fn read(text: &str) -> Result<Vec<Package>, String> {
    let lock: Lock = serde_json::from_str(text).map_err(|error| format!("is not a lock file of npm: {error}"))?;
    let mut packages = Packages::default();
    match lock {
        Lock { lockfile_version: 2 | 3, packages: Some(Entries(entries)), .. } => {
            for (folder, entry) in entries {
                if let Some(package) = package(&folder, entry)? {
                    packages.push(package)?;
                }
            }
        }
        Lock { lockfile_version: 1, dependencies, .. } => {
            if let Some(dependencies) = dependencies {
                add_dependencies(dependencies, &mut packages)?;
            }
        }
        Lock { lockfile_version: 2 | 3, .. } => return Err("has no `packages`".to_owned()),
        Lock { lockfile_version, .. } => return Err(format!("has the unknown version {lockfile_version}")),
    }
    Ok(packages.into_vec())
}

fn package(folder: &str, entry: Entry) -> Result<Option<Package>, String> {
    let of_folder = folder.rsplit_once("node_modules/").map(|(_, name)| name.to_owned());
    let is_installed = of_folder.is_some();
    // The root folder need not have a name, and other folders of the workspace have that of the folder.
    let name = entry.name.or(of_folder).or_else(|| folder.rsplit('/').next().filter(|name| !name.is_empty()).map(str::to_owned));
    let Some(name) = name.filter(|_| !entry.link) else { return Ok(None) };
    let origin = if is_installed { origin(entry.resolved.as_ref()) } else { Origin::Local };
    let mut package = Package::new(Ecosystem::Npm, name, entry.version, origin).with_hashes(hashes(entry.integrity.as_deref())?);
    package.licences = entry.license.map(Licence::names).unwrap_or_default();
    Ok(Some(package))
}

fn add_dependencies(Entries(dependencies): Entries<Dependency>, packages: &mut Packages) -> Result<(), String> {
    for (name, dependency) in dependencies {
        let (alias, version) = match dependency.version.strip_prefix("npm:").and_then(|rest| rest.rsplit_once('@')) {
            Some((name, version)) => (Some(name.to_owned()), version.to_owned()),
            None => (None, dependency.version.clone()),
        };
        // What comes from an address has it in the place of a version.
        let is_version = version.starts_with(|c: char| c.is_ascii_digit());
        let origin = if is_version { origin(dependency.resolved.as_ref()) } else { address(&version) };
        let package = Package::new(Ecosystem::Npm, alias.unwrap_or(name), is_version.then_some(version), origin);
        packages.push(package.with_hashes(hashes(dependency.integrity.as_deref())?))?;
        if let Some(more) = dependency.dependencies {
            add_dependencies(more, packages)?;
        }
    }
    Ok(())
}

fn origin(resolved: Option<&Resolved>) -> Origin {
    match resolved {
        // The tarballs of registries have this in their paths.
        Some(Resolved::Address(text)) if !text.contains("/-/") => address(text),
        _ => Origin::Registry,
    }
}

/// The origin of an address that is no registry's.
pub(super) fn address(text: &str) -> Origin {
    let is_git = text.starts_with("git") || text.split(['#', '?']).next().is_some_and(|path| path.ends_with(".git"));
    if is_git { Origin::git(text, text.rsplit_once('#').map(|(_, commit)| commit)) } else { Origin::url(text) }
}

fn hashes(integrity: Option<&str>) -> Result<Vec<Hash>, String> {
    integrity.map(Hash::integrity).transpose().map(Option::unwrap_or_default)
}
