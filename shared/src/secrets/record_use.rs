//! `record_secret_use`: that secrets are about to be read, by their names, in the audit log.

use serde_json::json;
use uuid::Uuid;

use crate::db::{Db, Error};

/// Records it; false when the lease of the step has expired: then nothing may be read. `step` is a step and its lease, none for a job of the
/// tenant.
pub async fn record_use(db: &Db, tenant: Uuid, names: &[String], step: Option<(Uuid, Uuid)>) -> Result<bool, Error> {
    let (step, token) = step.unzip();
    db.call("record_secret_use", &json!({"p_tenant": tenant, "p_names": names, "p_step": step, "p_token": token})).await
}
