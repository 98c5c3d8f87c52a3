//! The bill while it is made: components, each once, and faults.

use std::collections::BTreeMap;
use std::sync::Arc;

use nofx_shared::crypto::digest;
use nofx_shared::secrets::Mask;
use packageurl::PackageUrl;
use serde_json::{Value, json};

use super::component::Component;
use super::fault::Fault;
use super::faults::Faults;
use super::group::Group;
use super::package::Package;
use super::packages::{PACKAGE_BYTES, PACKAGES};

#[derive(Default)]
pub(crate) struct Bom {
    /// By the package URL without version.
    pub(super) packages: BTreeMap<String, Group>,
    package_count: usize,
    package_bytes: usize,
    /// Files and models, by their reference.
    pub(super) others: BTreeMap<String, Value>,
    pub(super) faults: Faults,
    /// The secrets of the step: what it installed or generated may repeat them.
    pub(super) mask: Mask,
}

impl Bom {
    /// Without these secrets.
    pub(super) fn masked(self, mask: &Mask) -> Self {
        Self { mask: mask.clone(), ..self }
    }

    /// The packages that a file names: all of them, or a fault.
    pub(super) fn add_packages(&mut self, file: &str, packages: Result<Vec<Package>, String>) {
        if let Err(reason) = packages.and_then(|packages| self.add_all(file, packages)) {
            self.add_fault(file, reason);
        }
    }

    fn add_all(&mut self, file: &str, packages: Vec<Package>) -> Result<(), String> {
        let bytes = self.package_bytes + file.len() + packages.iter().map(Package::bytes).sum::<usize>();
        if self.package_count + packages.len() > PACKAGES {
            return Err(format!("more than {PACKAGES} packages: those of this file are left out"));
        }
        if bytes > PACKAGE_BYTES {
            return Err(format!("packages with more than {PACKAGE_BYTES} bytes of text: those of this file are left out"));
        }
        // All are checked before the first is added.
        let urls = packages.iter().map(url).collect::<Result<Vec<_>, _>>()?;
        self.package_bytes = bytes;
        let file: Arc<str> = file.into();
        for (package, url) in packages.into_iter().zip(urls) {
            let mut name = url.clone();
            name.without_version();
            let (version, origin) = (url.version().map(str::to_owned), package.origin.clone());
            let is_new = self.packages.entry(name.to_string()).or_default().add(version, origin, Component::new(package, url, &file));
            self.package_count += usize::from(is_new);
        }
        Ok(())
    }

    pub(super) fn add_fault(&mut self, path: &str, reason: impl AsRef<str>) {
        // Masked before it is cut.
        self.faults.add(Fault::new(&self.mask.apply(path), self.mask.apply(reason.as_ref())));
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
}

fn url(package: &Package) -> Result<PackageUrl<'static>, String> {
    package.fault().map_or_else(|| package.plain_url(), Err)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use uuid::Uuid;

    use super::super::package::{Ecosystem, Origin, Package};
    use super::super::packages::PACKAGE_BYTES;
    use super::Bom;

    fn document(bom: Bom) -> Value {
        serde_json::from_str(&bom.document(Uuid::nil(), Uuid::nil()).text).expect("JSON")
    }

    fn references(bom: Bom) -> Vec<String> {
        let document = document(bom);
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
        let faults = bom.faults.texts();
        assert_eq!((faults[0].as_str(), faults.len()), ("lock: \"\" is not a name of a package", 101));
        assert_eq!(faults[100], "101 more faults are not listed");
        let document = document(bom);
        let listed = document["metadata"]["properties"].as_array().expect("properties").iter().filter(|one| one["name"] == "nofx:fault");
        assert_eq!((listed.count(), document["components"].as_array().map(Vec::len)), (101, Some(0)));
        assert_eq!(document["compositions"][0]["aggregate"], Value::from("incomplete"));
    }

    #[test]
    fn texts_take_limited_memory_and_what_fits_is_still_added() {
        let mut bom = Bom::default();
        let mut large = package("a", Some("1"), Origin::Registry);
        large.licences = vec!["x".repeat(PACKAGE_BYTES)];
        bom.add_packages("large", Ok(vec![large]));
        // Each is small, and none of the strings has more than a byte.
        let mut many = package("b", Some("1"), Origin::Registry);
        many.licences = vec!["x".to_owned(); PACKAGE_BYTES / 25];
        bom.add_packages("many", Ok(vec![many]));
        bom.add_packages("lock", Ok(vec![package("c", Some("1"), Origin::Registry)]));
        let reason = "packages with more than 67108864 bytes of text: those of this file are left out";
        assert_eq!(bom.faults.texts(), [format!("large: {reason}"), format!("many: {reason}")]);
        assert_eq!(references(bom), ["pkg:npm/c@1"]);
    }
}
