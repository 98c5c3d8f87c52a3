//! A package in the bill, made of all that the files of the workspace say of it.

use std::collections::BTreeSet;

use packageurl::PackageUrl;
use serde_json::{Value, json};

use super::hash::Hash;
use super::licence;
use super::package::{Origin, Package};

#[derive(Clone)]
pub(super) struct Component {
    name: String,
    url: PackageUrl<'static>,
    requirements: BTreeSet<String>,
    licences: BTreeSet<String>,
    hashes: BTreeSet<Hash>,
    /// The files that name it.
    found_in: BTreeSet<String>,
}

impl Component {
    /// Most files that are listed for one package.
    const OCCURRENCES: usize = 100;

    pub(super) fn new(package: Package, url: PackageUrl<'static>, file: &str) -> Self {
        Self {
            name: package.name,
            url,
            requirements: package.requirement.into_iter().collect(),
            licences: package.licences.iter().filter_map(|text| licence::clean(text)).collect(),
            hashes: package.hashes,
            found_in: BTreeSet::from([file.to_owned()]),
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.requirements.extend(other.requirements);
        self.licences.extend(other.licences);
        self.hashes.extend(other.hashes);
        self.found_in.extend(other.found_in);
    }

    pub(super) fn document(mut self, origin: &Origin) -> Value {
        let is_local = *origin == Origin::Local;
        if let Some((name, value)) = origin.qualifier() {
            // Both keys are valid.
            drop(self.url.add_qualifier(name, value.to_owned()));
        }
        let url = self.url.to_string();
        let reference = if is_local { url.replacen("pkg:", "local:", 1) } else { url.clone() };
        let mut component = json!({"type": "library", "bom-ref": reference, "name": self.name});
        let mut set = |name: &str, value: Value| component[name] = value;
        if let Some(version) = self.url.version() {
            set("version", json!(version));
        }
        if !self.hashes.is_empty() {
            set("hashes", self.hashes.iter().map(|hash| json!({"alg": hash.algorithm, "content": hash.hex})).collect());
        }
        if !self.licences.is_empty() {
            set("licenses", licence::choice(self.licences.iter()).into());
        }
        if !is_local {
            set("purl", json!(url));
        }
        if !self.requirements.is_empty() {
            set("properties", self.requirements.iter().map(|text| json!({"name": "nofx:requirement", "value": text})).collect());
        }
        let occurrences: Value = self.found_in.iter().take(Self::OCCURRENCES).map(|file| json!({"location": file})).collect();
        set("evidence", json!({"occurrences": occurrences}));
        component
    }
}
