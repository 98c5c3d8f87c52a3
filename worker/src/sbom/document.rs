//! The bill as a document: its components one by one, to a limit, and what is left out of it.

use chrono::{SecondsFormat, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use uuid::Uuid;

use super::bom::Bom;
use super::fault::Fault;
use super::group::Group;

/// Most bytes of all components: what is declared is listed with each version, so that a small file can make a large bill.
const BYTES: usize = 32 << 20;

/// A bill as it is saved.
pub(super) struct Document {
    pub text: String,
    /// What is not in it, each as `subject: reason`.
    pub faults: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CycloneDx<'a> {
    bom_format: &'a str,
    spec_version: &'a str,
    serial_number: String,
    version: u32,
    metadata: Value,
    components: &'a RawValue,
    compositions: Value,
}

impl Bom {
    pub(super) fn document(mut self, run: Uuid, step: Uuid) -> Document {
        let components = RawValue::from_string(self.take_components()).expect("a list of values");
        let faults = self.faults.texts();
        let property = |name: &str, value: String| json!({"name": name, "value": value});
        let mut properties = vec![property("nofx:run", run.to_string()), property("nofx:step", step.to_string())];
        properties.extend(faults.iter().map(|fault| property("nofx:fault", fault.clone())));
        let document = CycloneDx {
            bom_format: "CycloneDX",
            spec_version: "1.6",
            serial_number: format!("urn:uuid:{}", Uuid::now_v7()),
            version: 1,
            metadata: json!({
                "timestamp": Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
                "tools": {"components": [{"type": "application", "name": "nofx", "version": env!("CARGO_PKG_VERSION")}]},
                "properties": properties,
            }),
            components: &components,
            // What is declared, locked or installed may not be all that is used.
            compositions: json!([{"aggregate": "incomplete"}]),
        };
        Document { text: serde_json::to_string(&document).expect("texts and numbers"), faults }
    }

    /// The list of components; what it leaves out becomes a fault. None is in memory longer than it takes to write it.
    fn take_components(&mut self) -> String {
        let others = std::mem::take(&mut self.others).into_values().map(|other| (other, None));
        let packages = std::mem::take(&mut self.packages).into_values().flat_map(Group::merged).map(|(origin, component)| {
            let fault = component.fault();
            (component.document(&origin), fault)
        });
        let mut list = String::from("[");
        for (component, fault) in others.chain(packages) {
            let component = self.mask.apply_to_json(&component);
            let reference = component["bom-ref"].as_str().unwrap_or_default();
            let text = component.to_string();
            let comma = if list.len() > 1 { "," } else { "" };
            if list.len() + comma.len() + text.len() + "]".len() > BYTES {
                let reason = format!("this component and all after it are left out: components may have {BYTES} bytes");
                self.faults.add_first(Fault::new(reference, reason));
                break;
            }
            list.extend([comma, &text]);
            fault.into_iter().for_each(|reason| self.faults.add(Fault::new(reference, reason)));
        }
        list.push(']');
        list
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use uuid::Uuid;

    use super::super::bom::Bom;
    use super::super::hash::Hash;
    use super::super::package::{Ecosystem, Origin, Package};
    use super::BYTES;

    fn package(version: Option<String>, origin: Origin, requirement: Option<String>) -> Package {
        let mut package = Package::new(Ecosystem::Pypi, "a", version, origin);
        package.requirement = requirement;
        package
    }

    /// The length of the bill, its components and its faults.
    fn document(bom: Bom) -> (usize, Vec<Value>, Vec<String>) {
        let document = bom.document(Uuid::nil(), Uuid::nil());
        let mut bill: Value = serde_json::from_str(&document.text).expect("JSON");
        let components = serde_json::from_value(bill["components"].take()).expect("a list");
        (document.text.len(), components, document.faults)
    }

    fn count(component: &Value, list: &str) -> usize {
        component[list].as_array().map_or(0, Vec::len)
    }

    fn requirements(of: std::ops::Range<usize>) -> Vec<Package> {
        of.map(|n| package(None, Origin::Registry, Some(format!(">={n}")))).collect()
    }

    /// As many origins as addresses, and none of them a version.
    fn addresses() -> Vec<Package> {
        (0..20_000).map(|n| package(None, Origin::Url(format!("https://h.example/{n}")), None)).collect()
    }

    #[test]
    fn what_is_only_declared_is_listed_with_each_origin() {
        let mut bom = Bom::default();
        bom.add_packages("requirements.txt", Ok(addresses()));
        let (_, components, faults) = document(bom);
        assert_eq!((components.len(), faults.len()), (20_000, 0));
    }

    #[test]
    fn thousands_of_requirements_of_one_name_are_one_component_of_limited_size() {
        let mut bom = Bom::default();
        bom.add_packages("more.txt", Ok(addresses()));
        bom.add_packages("requirements.txt", Ok(requirements(0..20_000)));
        bom.add_packages("uv.lock", Ok(vec![package(Some("1".to_owned()), Origin::Registry, None)]));
        let (_, components, faults) = document(bom);
        assert_eq!((components.len(), count(&components[0], "properties")), (1, 100));
        assert_eq!(count(&components[0]["evidence"], "occurrences"), 3);
        assert_eq!(faults, ["pkg:pypi/a@1: has more than 100 requirements: the others are left out"]);
    }

    #[test]
    fn requirements_are_listed_with_each_version_and_limited_there() {
        let mut bom = Bom::default();
        bom.add_packages("requirements.txt", Ok(requirements(0..10_000)));
        let versions = (0..200).map(|n| package(Some(format!("1.{n}")), Origin::Registry, None)).collect();
        bom.add_packages("uv.lock", Ok(versions));
        let (_, components, faults) = document(bom);
        assert_eq!((components.len(), faults.len()), (200, 101));
        assert!(components.iter().all(|one| count(one, "properties") == 100));
        assert_eq!(faults[100], "100 more faults are not listed");
    }

    #[test]
    fn each_list_of_a_component_is_limited_and_the_fault_names_it() {
        let hash = |n: usize| Hash::labelled(&format!("sha256:{n:064x}")).expect("a hash");
        for (entries, fault) in [
            (100, None),
            (
                101,
                Some(
                    "local:pypi/a@1: has more than 100 requirements and licences and hashes and files that name it: the others are left out",
                ),
            ),
        ] {
            let mut bom = Bom::default();
            for n in 0..entries {
                let mut one = package(Some("1".to_owned()), Origin::Local, Some(format!(">={n}"))).with_hashes([hash(n)]);
                one.licences = vec![format!("licence {n}")];
                bom.add_packages(&format!("{n}.txt"), Ok(vec![one]));
            }
            let (_, components, faults) = document(bom);
            let lists = ["properties", "licenses", "hashes"].map(|list| count(&components[0], list));
            assert_eq!((lists, count(&components[0]["evidence"], "occurrences")), ([100; 3], 100));
            assert_eq!(faults, fault.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_small_file_makes_no_bill_without_end() {
        let mut bom = Bom::default();
        (0..200).for_each(|n| bom.add_fault(&format!("f{n}"), "is a fifo"));
        bom.add_packages("requirements.txt", Ok((0..100).map(|n| package(None, Origin::Registry, Some(format!("{n:0512}")))).collect()));
        let versions = (0..800).map(|n| package(Some(format!("{n:03}")), Origin::Registry, None)).collect();
        bom.add_packages("uv.lock", Ok(versions));
        let (bytes, components, faults) = document(bom);
        let first = components.len();
        assert!(bytes > BYTES - (1 << 20) && bytes < BYTES + (1 << 20) && first < 800, "{bytes} bytes, {first} components");
        assert!(components.iter().enumerate().all(|(n, one)| one["version"] == format!("{n:03}")));
        let fault = format!("pkg:pypi/a@{first:03}: this component and all after it are left out: components may have 33554432 bytes");
        assert_eq!((faults.len(), &faults[0]), (101, &fault));
    }
}
