//! `create_run`: writes the rows of a validated plan, all or none.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::RunStatus;
use crate::db::{Db, Error};
use crate::plan::Plan;
use crate::telemetry::TraceParent;

/// A run that was created.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CreatedRun {
    pub id: Uuid,
    pub status: RunStatus,
    pub steps_total: u32,
    pub created_at: DateTime<Utc>,
}

/// Creates a run; for an id that exists, returns that run.
pub async fn create_run(db: &Db, id: Uuid, plan: &Plan, submitted: &Value, trace: Option<&TraceParent>) -> Result<CreatedRun, Error> {
    db.call("create_run", &json!({"p_id": id, "p_run": row(plan, submitted, trace), "p_steps": plan.rows()})).await
}

/// Creates a run as the service role, on behalf of someone in a tenant.
pub async fn create_run_for(
    db: &Db,
    tenant: Uuid,
    author: &str,
    id: Uuid,
    plan: &Plan,
    submitted: &Value,
    trace: Option<&TraceParent>,
) -> Result<CreatedRun, Error> {
    let mut run = row(plan, submitted, trace);
    run["created_by"] = json!(author);
    db.call("create_run", &json!({"p_id": id, "p_run": run, "p_steps": plan.rows(), "p_tenant": tenant})).await
}

fn row(plan: &Plan, submitted: &Value, trace: Option<&TraceParent>) -> Value {
    json!({
        "goal": plan.goal, "plan": submitted, "workspace": plan.workspace, "priority": plan.priority,
        "max_parallel": plan.max_parallel, "deadline_s": plan.deadline_s, "traceparent": trace.map(ToString::to_string),
        "pull_request": plan.pull_request,
    })
}
