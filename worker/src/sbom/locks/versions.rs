//! Locked packages for tools that take one version of each package at a time.

use std::collections::{BTreeMap, BTreeSet};

use crate::sbom::package::{Origin, Package};

/// Most versions of one package.
const VERSIONS: usize = 100;

/// The packages that a registry could know, by name with their version: as many lists as one package has versions. `punctuation`: the
/// characters besides letters and digits that a name and a version may have.
pub(super) fn one_version_each(packages: Vec<Package>, punctuation: &str) -> Result<Vec<BTreeMap<String, String>>, String> {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages.into_iter().filter(|package| package.origin != Origin::Local) {
        let version = package.version.clone().unwrap_or_default();
        // They are written into files that a tool reads: with a space, a quote or a leading hyphen they could be more than a name there.
        let is_plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || punctuation.contains(c));
        if package.fault().is_some() || !is_plain(&package.name) || !is_plain(&version) || package.name.starts_with('-') {
            let shown: String = format!("{} {version}", package.name).chars().take(80).collect();
            return Err(format!("{shown:?} is not a name and a version of a package"));
        }
        versions.entry(package.name).or_default().insert(version);
    }
    let mut lists = vec![BTreeMap::new()];
    for (name, versions) in versions {
        if versions.len() > VERSIONS {
            return Err(format!("{name} has more than {VERSIONS} versions"));
        }
        for (at, version) in versions.into_iter().enumerate() {
            if lists.len() == at {
                lists.push(BTreeMap::new());
            }
            lists[at].insert(name.clone(), version);
        }
    }
    Ok(lists)
}

/// Packages of Python as lines `name==version`, in as many lists as one package has versions.
pub(super) fn pins(packages: Vec<Package>) -> Result<Vec<Vec<String>>, String> {
    let lists = one_version_each(packages, "-_.+!")?;
    Ok(lists.into_iter().map(|list| list.into_iter().map(|(name, version)| format!("{name}=={version}")).collect()).collect())
}

#[cfg(test)]
mod tests {
    use super::{VERSIONS, pins};
    use crate::sbom::package::{Ecosystem, Origin, Package};

    #[test]
    fn the_number_of_lists_is_limited() {
        let of = |count: usize| {
            let package = |n| Package::new(Ecosystem::Pypi, "a", Some(format!("1.{n}")), Origin::Registry);
            pins((0..count).map(package).collect()).map(|lists| lists.len())
        };
        assert_eq!(of(VERSIONS), Ok(VERSIONS));
        assert!(of(VERSIONS + 1).is_err_and(|error| error.contains("a has more than")));
    }
}
