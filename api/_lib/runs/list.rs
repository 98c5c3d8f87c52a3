//! `GET /api/runs`

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use chrono::{DateTime, Utc};
use nofx_shared::db::Query;
use nofx_shared::engine::RunStatus;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::App;
use crate::http::{Authenticated, Cursor, Page, Paging, Params, Refusal};

#[derive(Deserialize)]
pub(crate) struct Filter {
    status: Option<RunStatus>,
    goal: Option<String>,
    tool: Option<String>,
    created_after: Option<DateTime<Utc>>,
    created_before: Option<DateTime<Utc>>,
    needs_approval: Option<bool>,
}

/// A run in a list.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct RunSummary {
    pub id: Uuid,
    pub goal: String,
    pub status: RunStatus,
    pub steps_total: u32,
    pub open_steps: u32,
    /// Why it failed or was cancelled.
    #[schema(value_type = Option<Object>)]
    pub error: Option<Value>,
    pub created_by: String,
    pub created_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
}

pub(super) const COLUMNS: &str = "id,goal,status,steps_total,open_steps,error,created_by,created_at,started_at,ended_at";

/// List runs, newest first.
#[utoipa::path(get, path = "/runs", security(("bearer" = [])),
    params(("status" = Option<RunStatus>, Query), ("goal" = Option<String>, Query), ("tool" = Option<String>, Query),
        ("created_after" = Option<DateTime<Utc>>, Query), ("created_before" = Option<DateTime<Utc>>, Query),
        ("needs_approval" = Option<bool>, Query), ("limit" = Option<u16>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Page<RunSummary>), (status = 304), (status = 401)))]
pub(crate) async fn list_runs(
    State(app): State<App>,
    caller: Authenticated,
    Params(filter): Params<Filter>,
    Params(paging): Params<Paging>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let mut filters = paging.filters()?;
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
    if filter.needs_approval == Some(true) {
        columns.push_str(",gate!inner(id)");
        add("gate.status", "eq.pending".to_owned());
    }
    for (operator, time) in [("gt", filter.created_after), ("lt", filter.created_before)] {
        if let Some(time) = time {
            add("created_at", format!("{operator}.{}", time.to_rfc3339()));
        }
    }
    add("select", columns);
    let rows: Vec<RunSummary> = app.db(&caller).read(&Query { table: "run", filters }).await?;
    Ok(Page::cut(rows, paging.limit()?, |run| Cursor { created_at: run.created_at, id: run.id }).respond(&uri, &headers))
}
