//! yarn.lock of yarn 2 and later, which is YAML. Its checksums are of archives that yarn makes itself, not of published files: they are
//! not in the bill.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::npm::address;
use super::pnpm::yaml_options;
use crate::sbom::package::{Ecosystem, Origin, Package};
use crate::sbom::packages::Packages;

#[derive(Deserialize)]
struct Entry {
    version: Option<String>,
    /// `name@npm:1.0.0`; missing in `__metadata` only.
    resolution: Option<String>,
}

pub(super) fn read(text: &str) -> Result<Vec<Package>, String> {
    let entries: BTreeMap<String, Entry> =
        serde_saphyr::from_str_with_options(text, yaml_options()).map_err(|error| format!("is not a yarn.lock: {error}"))?;
    Packages::collect(entries.into_iter().filter(|(key, _)| key != "__metadata").map(|(key, entry)| package(&key, entry)))
}

fn package(key: &str, entry: Entry) -> Result<Package, String> {
    let read = || {
        let resolution = entry.resolution.as_deref()?;
        // The first character may be that of a scope.
        let at = resolution.char_indices().skip(1).find(|(_, c)| *c == '@')?.0;
        let (name, rest) = (&resolution[..at], &resolution[at + 1..]);
        let origin = match rest.split_once(':')?.0 {
            // A patch is made of the package with the same name.
            "npm" | "patch" => Origin::Registry,
            "workspace" | "link" | "portal" | "file" | "exec" => Origin::Local,
            _ => match rest.rsplit_once("#commit=") {
                Some((repository, commit)) => Origin::git(repository, Some(commit)),
                None => address(rest),
            },
        };
        Some(Package::new(Ecosystem::Npm, name, Some(entry.version?), origin))
    };
    read().ok_or_else(|| format!("the entry `{}` has no version and resolution", key.chars().take(80).collect::<String>()))
}
