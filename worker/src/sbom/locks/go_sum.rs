//! go.sum (<https://go.dev/ref/mod#go-sum-files>): a line for each module's files and one for its go.mod. A module that has only the
//! second was looked at to choose versions and is not used.

use crate::sbom::hash::Hash;
use crate::sbom::package::{Ecosystem, Origin, Package};
use crate::sbom::packages::Packages;

pub(super) fn read(text: &str) -> Result<Vec<Package>, String> {
    let mut packages = Packages::default();
    for (at, line) in text.lines().enumerate() {
        match line.split_whitespace().take(4).collect::<Vec<_>>()[..] {
            [] => {}
            [_, version, _] if version.ends_with("/go.mod") => {}
            [name, version, hash] => {
                let hash = Hash::go(hash).map_err(|error| format!("line {}: {error}", at + 1))?;
                packages.push(Package::new(Ecosystem::Golang, name, Some(version.to_owned()), Origin::Registry).with_hashes([hash]))?;
            }
            _ => return Err(format!("line {} is not `module version hash`", at + 1)),
        }
    }
    Ok(packages.into_vec())
}
