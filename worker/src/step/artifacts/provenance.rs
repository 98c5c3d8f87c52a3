//! The provenance of a step's artifacts: what made them, from what, with which parameters.

use nofx_shared::artifacts::{Material, Provenance};
use nofx_shared::engine::Failure;
use serde_json::{Value, json};

use crate::step::StepContext;

impl StepContext {
    pub(super) async fn provenance(&self) -> Result<Provenance<'_>, Failure> {
        let mut materials = self.materials.lock().expect("the lock is never poisoned").clone();
        if let Some(source) = &self.step.workspace {
            let folder = self.workspace().await?;
            if let Some(commit) = self.git(&folder).head().await? {
                materials.push(Material { uri: format!("git+{}", source.git), digest: Some(format!("gitCommit:{commit}")) });
            }
        }
        let reached = self.egress.iter().flat_map(|grant| grant.destinations(&self.mask)).filter(|one| one.connections > 0);
        materials.extend(reached.map(|one| Material { uri: format!("tcp://{}:{}", one.host, one.port), digest: None }));
        let mut parameters = self.parameters.lock().expect("the lock is never poisoned").clone();
        let worker = json!({
            "driver": self.step.driver(), "isolation": self.sandboxed().isolation, "worker": self.services.worker,
            "min_isolation": self.step.min_isolation(self.services.isolation.floor), "image": self.services.image,
        });
        parameters.extend(worker.as_object().cloned().unwrap_or_default());
        Ok(Provenance {
            tool: &self.step.tool,
            inputs: &self.inputs,
            parameters: Value::Object(parameters),
            materials,
            builder_version: env!("CARGO_PKG_VERSION"),
            run: self.step.run_id,
            step: self.step.id,
            attempt: self.step.attempt,
            started_at: self.started_at,
        })
    }
}
