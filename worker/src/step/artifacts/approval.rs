//! Signs who let a step run. Who may, and whether they did, the database decides.

use nofx_shared::artifacts::{self, Subject};
use nofx_shared::crypto;
use nofx_shared::db;
use nofx_shared::engine::Failure;
use serde_json::json;

use crate::step::StepContext;

impl StepContext {
    /// Signs an attestation of the approval that let the step run, if it has a manual gate.
    pub(crate) async fn attest_approval(&self) -> Result<(), Failure> {
        let Some(gate) = self.step.gate.as_ref().filter(|gate| gate.gate_type.starts_with("manual:")) else { return Ok(()) };
        let (Some(by), Some(at)) = (&gate.decided_by, gate.decided_at) else { return Ok(()) };
        let approved = json!({"run": self.step.run_id, "step": self.step.name, "tool": self.step.tool, "inputs": self.inputs});
        let digest = crypto::digest(approved.to_string().as_bytes());
        let subject = Subject::new(format!("nofx:run/{}/step/{}", self.step.run_id, self.step.id), &digest);
        let attestation = artifacts::approval(subject, &gate.gate_type, &gate.status, by, at).sign(&self.services.signing_key);
        let record = || artifacts::record_attestation(&self.services.db, &self.step, &attestation);
        let recorded = self.retry_until_stopped(record, db::Error::is_permanent).await;
        recorded.map(drop).map_err(|error| Failure::transient(format!("could not record the approval: {error}")))
    }
}
