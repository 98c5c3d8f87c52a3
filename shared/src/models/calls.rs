use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::db::{Db, Error, Query};
use crate::engine::ClaimedStep;

/// Model settings of a tenant.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Settings {
    /// Task → `provider` or `provider/model`, the first choice first.
    #[serde(default)]
    pub order: BTreeMap<String, Vec<String>>,
}

/// How a model call starts.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelCallStart {
    /// The run has the response of the same request already.
    Replayed(ReplayedResponse),
    /// A budget does not allow it; says which.
    OverBudget(String),
    /// Its cost is reserved under this id.
    Reserved(Uuid),
}

#[derive(Debug, Deserialize)]
pub struct ReplayedResponse {
    pub response: String,
    pub provider: String,
    pub model: String,
}

/// The response of a model, or the error.
#[derive(Debug, Default, Serialize)]
pub struct ModelCallResult {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    pub provider: Option<String>,
    pub model: Option<String>,
    pub input_tokens: u64,
    pub cached_tokens: u64,
    pub output_tokens: u64,
    pub reasoning_tokens: u64,
    /// None: the model has no price.
    pub cost_usd: Option<f64>,
    pub latency_ms: u64,
    pub fallbacks: Vec<Value>,
}

/// Reserves what a call may cost at most (`usd`, `tokens`); none when the lease has expired.
pub async fn begin_model_call(
    db: &Db,
    step: &ClaimedStep,
    hash: &str,
    task: &str,
    usd: Option<f64>,
    tokens: u64,
) -> Result<Option<ModelCallStart>, Error> {
    let call = json!({"hash": hash, "task": task, "usd": usd, "tokens": tokens});
    db.call("begin_model_call", &json!({"p_step": step.id, "p_token": step.token, "p_call": call})).await
}

/// Records the result of a call, with or without the lease.
pub async fn end_model_call(db: &Db, id: Uuid, result: &ModelCallResult) -> Result<(), Error> {
    db.call("end_model_call", &json!({"p_id": id, "p_result": result})).await
}

/// The settings of a tenant; the default ones when it has none.
pub async fn model_settings(db: &Db, tenant: Uuid) -> Result<Settings, Error> {
    let filters = vec![("tenant_id".to_owned(), format!("eq.{tenant}")), ("select".to_owned(), "order".to_owned())];
    let rows: Vec<Settings> = db.read(&Query { table: "model_settings", filters }).await?;
    Ok(rows.into_iter().next().unwrap_or_default())
}
