//! `GET /api/runs`

use std::collections::HashMap;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use chrono::{DateTime, Utc};
use nofx_shared::auth::Caller;
use nofx_shared::engine::RunStatus;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::App;
use crate::http::{Authenticated, Cursor, Page, Paging, Params, Refusal};

#[derive(Clone, Default, Deserialize)]
pub(crate) struct Filter {
    pub status: Option<RunStatus>,
    pub goal: Option<String>,
    pub tool: Option<String>,
    pub created_after: Option<DateTime<Utc>>,
    pub created_before: Option<DateTime<Utc>>,
    pub needs_approval: Option<bool>,
    /// Only runs with a gate that the caller may decide.
    pub waits_for_me: Option<bool>,
}

/// A run in a list.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct RunSummary {
    pub id: Uuid,
    pub goal: String,
    pub status: RunStatus,
    pub steps_total: u32,
    pub open_steps: u32,
    /// Why the run failed or was cancelled.
    #[schema(value_type = Option<Object>)]
    pub error: Option<Value>,
    pub created_by: String,
    pub created_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
    /// Why the run failed or is waiting, and at which step; in lists only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub status_reason: Option<StatusReason>,
}

/// Why a run failed or is waiting.
#[derive(Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct StatusReason {
    #[serde(skip_serializing)]
    #[schema(ignore)]
    run_id: Uuid,
    /// failed, cancelled, gate, breaker, timer or quota.
    pub code: String,
    pub step_id: Option<Uuid>,
    pub step_name: Option<String>,
    /// The first line of the error, the gate's question, the open breaker, or the quota.
    pub message: Option<String>,
}

pub(super) const COLUMNS: &str = "id,goal,status,steps_total,open_steps,error,created_by,created_at,started_at,ended_at";

/// A page of the runs of the caller's tenant, each with why it failed or waits.
pub(crate) async fn list(app: &App, caller: &Caller, filter: &Filter, paging: &Paging) -> Result<Page<RunSummary>, Refusal> {
    let mut filters = vec![];
    let mut columns = COLUMNS.to_owned();
    let mut add = |key: &str, value: String| filters.push((key.to_owned(), value));
    if let Some(status) = filter.status {
        add("status", format!("eq.{status}"));
    }
    if let Some(goal) = &filter.goal {
        // PostgREST takes * for %; what the caller typed is text, not a pattern.
        add("goal", format!("ilike.*{}*", goal.replace(['*', '%', '_', '\\'], "?").replace('?', "_")));
    }
    if let Some(tool) = &filter.tool {
        columns.push_str(",step!inner(tool)");
        add("step.tool", format!("eq.{tool}"));
        add("step.limit", "1".to_owned());
    }
    if filter.needs_approval == Some(true) || filter.waits_for_me == Some(true) {
        columns.push_str(",gate!inner(id)");
        add("gate.status", "eq.pending".to_owned());
    }
    if filter.waits_for_me == Some(true) {
        add("gate.waits_for_me", "is.true".to_owned());
    }
    for (operator, time) in [("gt", filter.created_after), ("lt", filter.created_before)] {
        if let Some(time) = time {
            add("created_at", format!("{operator}.{}", time.to_rfc3339()));
        }
    }
    add("select", columns);
    let db = app.db(caller);
    let cursor = |run: &RunSummary| Cursor { created_at: run.created_at, id: run.id };
    let mut page = paging.fetch(&db, "run", filters, cursor).await?;
    let ids: Vec<Uuid> = page.data.iter().filter(|run| run.error.is_some() || run.ended_at.is_none()).map(|run| run.id).collect();
    if !ids.is_empty() {
        let reasons: Vec<StatusReason> = db.call("explain_runs", &json!({"p_runs": ids})).await?;
        let mut reasons: HashMap<Uuid, StatusReason> = reasons.into_iter().map(|reason| (reason.run_id, reason)).collect();
        for run in &mut page.data {
            run.status_reason = reasons.remove(&run.id);
        }
    }
    Ok(page)
}

/// List runs, newest first.
///
/// For every role. The filters narrow the list together. Each run says why it failed or waits, and at which step.
#[utoipa::path(get, path = "/runs", security(("bearer" = [])),
    params(("status" = Option<RunStatus>, Query), ("goal" = Option<String>, Query), ("tool" = Option<String>, Query),
        ("created_after" = Option<DateTime<Utc>>, Query), ("created_before" = Option<DateTime<Utc>>, Query),
        ("needs_approval" = Option<bool>, Query),
        ("waits_for_me" = Option<bool>, Query, description = "Only runs with a gate that the caller may decide."), ("limit" = Option<u16>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Page<RunSummary>), (status = 304)))]
pub(crate) async fn list_runs(
    State(app): State<App>,
    caller: Authenticated,
    Params(filter): Params<Filter>,
    Params(paging): Params<Paging>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    Ok(list(&app, &caller, &filter, &paging).await?.respond(&uri, &headers))
}
