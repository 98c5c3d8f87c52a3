//! The bill: components, each once, and faults.

use std::collections::BTreeMap;

use chrono::{SecondsFormat, Utc};
use nofx_shared::crypto::digest;
use serde_json::{Value, json};
use uuid::Uuid;

use super::component::Component;
use super::fault::Fault;
use super::package::{Origin, Package};

/// Most packages of one bill.
const PACKAGES: usize = 200_000;
/// Most faults that are listed one by one.
const FAULTS: usize = 100;

/// Plain package URL without version, version, origin.
type Key = (String, Option<String>, Origin);

#[derive(Default)]
pub(crate) struct Bom {
    packages: BTreeMap<Key, Component>,
    /// Files and models, by their reference.
    others: BTreeMap<String, Value>,
    faults: Vec<Fault>,
}

impl Bom {
    /// The packages that a file names: all of them, or a fault.
    pub(super) fn add_packages(&mut self, file: &str, packages: Result<Vec<Package>, String>) {
        let all = packages.and_then(|packages| packages.into_iter().map(|package| component(package, file)).collect::<Result<Vec<_>, _>>());
        match all {
            Ok(all) if self.packages.len() + all.len() > PACKAGES => {
                self.add_fault(file, format!("more than {PACKAGES} packages: those of this file are left out"));
            }
            Ok(all) => all.into_iter().for_each(|(key, component)| self.add(key, component)),
            Err(reason) => self.add_fault(file, reason),
        }
    }

    fn add(&mut self, key: Key, component: Component) {
        match self.packages.get_mut(&key) {
            Some(known) => known.merge(component),
            None => drop(self.packages.insert(key, component)),
        }
    }

    pub(super) fn add_fault(&mut self, path: &str, reason: impl AsRef<str>) {
        self.faults.push(Fault::new(path, reason));
    }

    /// A file that was generated.
    pub(crate) fn add_file(&mut self, path: &str, bytes: &[u8]) {
        let (reference, sum) = (format!("file:{path}"), digest(bytes));
        let hash = sum.trim_start_matches("sha256:");
        let file = json!({"type": "file", "bom-ref": reference, "name": path, "hashes": [{"alg": "SHA-256", "content": hash}]});
        self.others.insert(reference, file);
    }

    /// The model that generated.
    pub(crate) fn add_model(&mut self, provider: &str, model: &str) {
        let reference = format!("model:{provider}/{model}");
        let entry = json!({"type": "machine-learning-model", "bom-ref": reference, "name": model, "publisher": provider});
        self.others.insert(reference, entry);
    }

    /// What could not be read, as `file: reason`; beyond a limit only their number.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut shown: Vec<String> = self.faults.iter().take(FAULTS).map(Fault::to_string).collect();
        if let Some(more @ 1..) = self.faults.len().checked_sub(FAULTS) {
            shown.push(format!("{more} more files or folders could not be read"));
        }
        shown
    }

    pub(crate) fn document(self, run: Uuid, step: Uuid) -> Value {
        let property = |name: &str, value: String| json!({"name": name, "value": value});
        let mut properties = vec![property("nofx:run", run.to_string()), property("nofx:step", step.to_string())];
        properties.extend(self.faults().into_iter().map(|fault| property("nofx:fault", fault)));
        let packages = merge(self.packages).into_iter().map(|((_, _, origin), component)| component.document(&origin));
        json!({
            "bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": format!("urn:uuid:{}", Uuid::now_v7()), "version": 1,
            "metadata": {
                "timestamp": Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
                "tools": {"components": [{"type": "application", "name": "nofx", "version": env!("CARGO_PKG_VERSION")}]},
                "properties": properties,
            },
            "components": self.others.into_values().chain(packages).collect::<Vec<_>>(),
            // What is declared, locked or installed may not be all that is used.
            "compositions": [{"aggregate": "incomplete"}],
        })
    }
}

fn component(package: Package, file: &str) -> Result<(Key, Component), String> {
    if let Some(fault) = package.fault() {
        return Err(fault);
    }
    let url = package.plain_url()?;
    let mut name = url.clone();
    name.without_version();
    let key = (name.to_string(), url.version().map(str::to_owned), package.origin.clone());
    Ok((key, Component::new(package, url, file)))
}

/// What is installed is the package that a lock names; what is declared is the version that is locked or installed.
fn merge(mut packages: BTreeMap<Key, Component>) -> BTreeMap<Key, Component> {
    let is_vague = |key: &Key| key.1.is_none() || key.2 == Origin::Installed;
    let vague: Vec<Key> = packages.keys().filter(|key| is_vague(key)).cloned().collect();
    // Installed ones first: one that stays gives its version to the one that is declared.
    for key in vague.iter().filter(|key| key.1.is_some()).chain(vague.iter().filter(|key| key.1.is_none())) {
        let (name, version, origin) = key;
        let from = (name.clone(), version.clone(), Origin::Installed);
        let of_name = packages.range(from..).take_while(|(other, _)| other.0 == *name).map(|(other, _)| other);
        let is_same = |other: &&Key| match version {
            Some(_) => *other != key && other.1 == *version,
            // A folder of the workspace is not what a registry has by that name.
            None => other.1.is_some() && (*origin != Origin::Local || other.2 == Origin::Local),
        };
        let same: Vec<Key> = of_name.filter(is_same).cloned().collect();
        let Some(component) = (!same.is_empty()).then(|| packages.remove(key)).flatten() else { continue };
        for other in same {
            if let Some(known) = packages.get_mut(&other) {
                known.merge(component.clone());
            }
        }
    }
    packages
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use uuid::Uuid;

    use super::super::package::{Ecosystem, Origin, Package};
    use super::Bom;

    fn references(bom: Bom) -> Vec<String> {
        let document = bom.document(Uuid::nil(), Uuid::nil());
        let components = document["components"].as_array().expect("components").iter();
        components.map(|one| one["bom-ref"].as_str().expect("a reference").to_owned()).collect()
    }

    fn package(name: &str, version: Option<&str>, origin: Origin) -> Package {
        Package::new(Ecosystem::Npm, name, version.map(str::to_owned), origin)
    }

    #[test]
    fn lock_and_installed_are_one_component_and_two_origins_are_two() {
        let mut bom = Bom::default();
        bom.add_packages("node_modules/a/package.json", Ok(vec![package("a", Some("1"), Origin::Installed)]));
        bom.add_packages("lock", Ok(vec![package("a", Some("1"), Origin::Registry), package("b", Some("1"), Origin::Registry)]));
        bom.add_packages("package.json", Ok(vec![package("a", None, Origin::Registry), package("c", None, Origin::Registry)]));
        // Who names a package of their own like a public one does not hide the public one.
        bom.add_packages("lock", Ok(vec![package("b", Some("1"), Origin::Local)]));
        assert_eq!(references(bom), ["pkg:npm/a@1", "pkg:npm/b@1", "local:npm/b@1", "pkg:npm/c"]);
    }

    #[test]
    fn a_file_with_a_fault_is_named_and_nothing_of_it_is_listed() {
        let mut bom = Bom::default();
        bom.add_packages("lock", Ok(vec![package("a", Some("1"), Origin::Registry), package("", None, Origin::Registry)]));
        (0..200).for_each(|n| bom.add_fault(&format!("f{n}"), "is a fifo"));
        let faults = bom.faults();
        assert_eq!((faults[0].as_str(), faults.len()), ("lock: \"\" is not a name of a package", 101));
        assert_eq!(faults[100], "101 more files or folders could not be read");
        let document = bom.document(Uuid::nil(), Uuid::nil());
        let listed = document["metadata"]["properties"].as_array().expect("properties").iter().filter(|one| one["name"] == "nofx:fault");
        assert_eq!((listed.count(), document["components"].as_array().map(Vec::len)), (101, Some(0)));
        assert_eq!(document["compositions"][0]["aggregate"], Value::from("incomplete"));
    }
}
