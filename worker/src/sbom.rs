//! Bills of materials (CycloneDX 1.6): the declared dependencies of a workspace, the generated files, and the model.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{SecondsFormat, Utc};
use nofx_shared::crypto::digest;
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const NAME: &str = "sbom.cdx.json";
pub(crate) const MEDIA_TYPE: &str = "application/vnd.cyclonedx+json";

/// Components by their reference, each once.
#[derive(Default)]
pub(crate) struct Bom(BTreeMap<String, Value>);

impl Bom {
    /// The packages in the lock files of the workspace.
    pub(crate) fn of_workspace(dir: &Path) -> Self {
        let mut bom = Self::default();
        let text = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap_or_default();
        cargo(&text("Cargo.lock")).for_each(|(name, version)| bom.add_package("cargo", name, version));
        if let Ok(lock) = serde_json::from_str::<Value>(&text("package-lock.json")) {
            for (path, package) in lock["packages"].as_object().into_iter().flatten() {
                let name = path.rsplit_once("node_modules/").map(|(_, name)| name);
                if let (Some(name), Some(version)) = (name, package["version"].as_str()) {
                    bom.add_package("npm", name, version);
                }
            }
        }
        for line in text("requirements.txt").lines() {
            if let Some((name, version)) = line.split(['#', ';']).next().unwrap_or_default().trim().split_once("==") {
                bom.add_package("pypi", name.trim(), version.split_whitespace().next().unwrap_or_default());
            }
        }
        for line in text("go.sum").lines() {
            if let [name, version, _] = line.split_whitespace().collect::<Vec<_>>()[..] {
                bom.add_package("golang", name, version.trim_end_matches("/go.mod"));
            }
        }
        bom
    }

    fn add_package(&mut self, kind: &str, name: &str, version: &str) {
        let purl = format!("pkg:{kind}/{}@{version}", name.replace('@', "%40"));
        let package = json!({"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl});
        self.0.insert(purl, package);
    }

    /// A file that was generated.
    pub(crate) fn add_file(&mut self, path: &str, bytes: &[u8]) {
        let (reference, sum) = (format!("file:{path}"), digest(bytes));
        let hash = sum.trim_start_matches("sha256:");
        let file = json!({"type": "file", "bom-ref": reference, "name": path, "hashes": [{"alg": "SHA-256", "content": hash}]});
        self.0.insert(reference, file);
    }

    /// The model that generated.
    pub(crate) fn add_model(&mut self, provider: &str, model: &str) {
        let reference = format!("model:{provider}/{model}");
        let entry = json!({"type": "machine-learning-model", "bom-ref": reference, "name": model, "publisher": provider});
        self.0.insert(reference, entry);
    }

    pub(crate) fn document(self, run: Uuid, step: Uuid) -> Value {
        json!({
            "bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": format!("urn:uuid:{}", Uuid::now_v7()), "version": 1,
            "metadata": {
                "timestamp": Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
                "tools": {"components": [{"type": "application", "name": "nofx", "version": env!("CARGO_PKG_VERSION")}]},
                "properties": [{"name": "nofx:run", "value": run.to_string()}, {"name": "nofx:step", "value": step.to_string()}],
            },
            "components": self.0.into_values().collect::<Vec<_>>(),
            // Lock files list declared dependencies, which may not be all.
            "compositions": [{"aggregate": "incomplete"}],
        })
    }
}

/// Name and version of each package of a Cargo.lock.
fn cargo(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split("[[package]]").skip(1).filter_map(|block| {
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \"")?.strip_suffix('"'));
        Some((field("name")?, field("version")?))
    })
}
