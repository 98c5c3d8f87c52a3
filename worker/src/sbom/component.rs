//! A package in the bill, made of all that the files of the workspace say of it.

use std::sync::Arc;

use packageurl::PackageUrl;
use serde_json::{Value, json};

use super::hash::Hash;
use super::licence;
use super::limited::{ENTRIES, Limited};
use super::package::{Origin, Package};

#[derive(Clone)]
pub(super) struct Component {
    name: String,
    url: PackageUrl<'static>,
    requirements: Limited<String>,
    licences: Limited<String>,
    hashes: Limited<Hash>,
    /// The files that name it.
    found_in: Limited<Arc<str>>,
}

impl Component {
    pub(super) fn new(package: Package, url: PackageUrl<'static>, file: &Arc<str>) -> Self {
        Self {
            name: package.name,
            url,
            requirements: Limited::new(package.requirement),
            licences: Limited::new(package.licences.iter().filter_map(|text| licence::clean(text))),
            hashes: Limited::new(package.hashes),
            found_in: Limited::new([Arc::clone(file)]),
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.requirements.merge(other.requirements);
        self.licences.merge(other.licences);
        self.hashes.merge(other.hashes);
        self.found_in.merge(other.found_in);
    }

    pub(super) fn merged(mut self, other: Self) -> Self {
        self.merge(other);
        self
    }

    /// What is left out of it, if anything.
    pub(super) fn fault(&self) -> Option<String> {
        let cut = [
            self.requirements.is_cut().then_some("requirements"),
            self.licences.is_cut().then_some("licences"),
            self.hashes.is_cut().then_some("hashes"),
            self.found_in.is_cut().then_some("files that name it"),
        ];
        let cut: Vec<&str> = cut.into_iter().flatten().collect();
        (!cut.is_empty()).then(|| format!("has more than {ENTRIES} {}: the others are left out", cut.join(" and ")))
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
        let occurrences: Value = self.found_in.iter().map(|file| json!({"location": **file})).collect();
        set("evidence", json!({"occurrences": occurrences}));
        component
    }
}
