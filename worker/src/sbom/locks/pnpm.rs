//! pnpm-lock.yaml, versions 5, 6 and 9 (<https://github.com/pnpm/spec/tree/master/lockfile>). From pnpm 11 on a first document may hold
//! the packages of pnpm itself.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::{DuplicateKeyPolicy, budget, options};

use super::npm::address;
use crate::sbom::hash::Hash;
use crate::sbom::package::{Ecosystem, Origin, Package};
use crate::sbom::packages::Packages;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Lock {
    lockfile_version: String,
    /// By name and version; missing when there are none.
    packages: Option<BTreeMap<String, Entry>>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    resolution: Resolution,
    /// Where the key is an address.
    name: Option<String>,
    version: Option<String>,
}

#[derive(Default, Deserialize)]
struct Resolution {
    integrity: Option<String>,
    tarball: Option<String>,
    directory: Option<String>,
    repo: Option<String>,
    commit: Option<String>,
}

/// No lock file has anchors, which can make a small file a large tree.
pub(super) fn yaml_options() -> serde_saphyr::Options {
    options! {
        budget: budget! {
            max_nodes: 10_000_000,
            max_events: 20_000_000,
            max_depth: 32,
            flow_nesting_limit: 32,
            max_aliases: 0,
            max_anchors: 0,
            max_merge_keys: 0,
            max_documents: 4,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
    }
}

pub(super) fn read(text: &str) -> Result<Vec<Package>, String> {
    let locks: Vec<Lock> =
        serde_saphyr::from_multiple_with_options(text, yaml_options()).map_err(|error| format!("is not a pnpm-lock.yaml: {error}"))?;
    if locks.is_empty() {
        return Err("is empty".to_owned());
    }
    let mut packages = Packages::default();
    for lock in locks {
        let major = lock.lockfile_version.split('.').next().unwrap_or_default().to_owned();
        if !matches!(major.as_str(), "5" | "6" | "9") {
            return Err(format!("has the unknown version {}", lock.lockfile_version.chars().take(20).collect::<String>()));
        }
        for (key, entry) in lock.packages.unwrap_or_default() {
            packages.push(package(&key, entry, &major)?)?;
        }
    }
    Ok(packages.into_vec())
}

fn package(key: &str, entry: Entry, major: &str) -> Result<Package, String> {
    let of_key = split(key, major);
    let (name, version) = match (entry.name, of_key) {
        (Some(name), of_key) => (name, entry.version.or_else(|| of_key.map(|(_, version)| version.to_owned()))),
        (None, Some((name, version))) => (name.to_owned(), entry.version.or_else(|| Some(version.to_owned()))),
        (None, None) => return Err(format!("`{}` is not a name and a version", key.chars().take(80).collect::<String>())),
    };
    let hashes = entry.resolution.integrity.as_deref().map(Hash::integrity).transpose()?.unwrap_or_default();
    // An address takes the place of a version that is not known.
    let is_address = |text: &String| text.contains(':');
    let origin = match (entry.resolution, version.as_ref().filter(|text| is_address(text))) {
        (Resolution { directory: Some(_), .. }, _) => Origin::Local,
        (Resolution { repo: Some(repo), commit, .. }, _) => Origin::git(&repo, commit.as_deref()),
        (Resolution { tarball: Some(tarball), integrity: None, .. }, _) => address(&tarball),
        (_, Some(text)) => address(text),
        _ => Origin::Registry,
    };
    Ok(Package::new(Ecosystem::Npm, name, version.filter(|text| !is_address(text)), origin).with_hashes(hashes))
}

/// The name and the version in a key: `name@1.0.0`, in version 6 `/name@1.0.0(peer@2.0.0)`, in version 5 `/name/1.0.0_peer@2.0.0`.
fn split<'a>(key: &'a str, major: &str) -> Option<(&'a str, &'a str)> {
    let key = key.split('(').next().unwrap_or_default();
    if major == "5" {
        let (name, version) = key.strip_prefix('/')?.rsplit_once('/')?;
        return Some((name, version.split('_').next().unwrap_or_default()));
    }
    let key = if major == "6" { key.strip_prefix('/')? } else { key };
    // The first character may be that of a scope.
    let at = key.char_indices().skip(1).find(|(_, c)| *c == '@')?.0;
    Some((&key[..at], &key[at + 1..]))
}
