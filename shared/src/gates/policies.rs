//! The policies of a tenant that require a gate: its evidence records them, with who set them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::db::{Db, Error, Query};

/// A policy that asks for a gate, as it was when the gate judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RequiringPolicy {
    pub id: Uuid,
    /// The tool that it holds until the gate has passed.
    pub tool: String,
    /// Null: a default, for tenants without a policy of their own.
    pub tenant_id: Option<Uuid>,
    /// What it asks of the gate: its name, or an object.
    pub asks: Value,
    pub changed_by: String,
    pub changed_at: String,
}

/// The policies that require a gate: the tenant's own, and the defaults.
pub async fn requiring_policies(db: &Db, tenant: Uuid, gate: &str) -> Result<Vec<RequiringPolicy>, Error> {
    #[derive(Deserialize)]
    struct Policy {
        id: Uuid,
        tool: String,
        tenant_id: Option<Uuid>,
        requires: Vec<Value>,
        changed_by: String,
        changed_at: String,
    }
    let filters = [
        ("select", "id,tool,tenant_id,requires,changed_by,changed_at".to_owned()),
        ("or", format!("(tenant_id.eq.{tenant},tenant_id.is.null)")),
        ("requires", "neq.[]".to_owned()),
        ("order", "tool,tenant_id".to_owned()),
    ];
    let policies: Vec<Policy> = db.read(&Query::of("gate_policy", filters)).await?;
    let all = policies.into_iter().flat_map(|policy| {
        let Policy { id, tool, tenant_id, requires, changed_by, changed_at } = policy;
        let asks = requires.into_iter().find(|one| one.as_str() == Some(gate) || one["gate"] == gate)?;
        Some(RequiringPolicy { id, tool, tenant_id, asks, changed_by, changed_at })
    });
    Ok(all.collect())
}
