//! Finished attempts of steps, and the query that reads all of a run at once.

use chrono::{DateTime, Utc};
use nofx_shared::db::Query;
use nofx_shared::drivers::Usage;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// A finished attempt of a step.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct Attempt {
    #[serde(skip_serializing)]
    #[schema(ignore)]
    pub step_id: Uuid,
    /// Its number, from 1.
    pub attempt: u32,
    /// succeeded, failed, `timed_out`, cancelled, skipped, `lease_expired` or interrupted.
    pub outcome: String,
    pub worker: Option<String>,
    pub ready_at: Option<DateTime<Utc>>,
    pub started_at: Option<DateTime<Utc>>,
    pub ended_at: DateTime<Utc>,
    /// `{message, details}`
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub error: Option<Value>,
    /// What its driver enforced: `{level, driver, kernel, uid, no_new_privs, seccomp, landlock_abi, namespaces, limits, network, workspace_level}`. Null when it
    /// ran no process.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub isolation: Option<Value>,
    /// What its processes used.
    #[serde(default)]
    pub usage: Option<Usage>,
}

/// The columns without errors and isolation, which may be large.
pub(crate) const COLUMNS: &str = "step_id,attempt,outcome,worker,ready_at,started_at,ended_at";

/// All attempts of a run, oldest first.
pub(crate) fn of_run(run: Uuid, columns: &str) -> Query {
    Query::of("step_attempt", [("run_id", format!("eq.{run}")), ("select", columns.to_owned()), ("order", "attempt".to_owned())])
}
