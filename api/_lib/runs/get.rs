//! `GET /api/runs/{id}`

use std::collections::HashMap;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::{DateTime, Utc};
use nofx_shared::auth::Caller;
use nofx_shared::db::Query;
use nofx_shared::engine::StepStatus;
use nofx_shared::problem::{Kind, Problem};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::attempts::{self, Attempt};
use super::list::{COLUMNS, RunSummary};
use super::usage::{EMBEDDED, RunUsage};
use crate::App;
use crate::artifacts::Artifact;
use crate::gates::{COLUMNS as GATES, Gate};
use crate::http::{Authenticated, Path, Refusal, cached};

/// A run with everything that belongs to it.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct Run {
    #[serde(flatten)]
    pub summary: RunSummary,
    /// The plan as it was submitted.
    #[schema(value_type = Object)]
    pub plan: Value,
    pub steps: Vec<Step>,
    pub artifacts: Vec<Artifact>,
    pub gates: Vec<Gate>,
    /// Null when no process ran.
    pub sandbox: Option<RunUsage>,
}

/// A step of a run.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct Step {
    pub id: Uuid,
    pub parent_id: Option<Uuid>,
    pub name: String,
    pub tool: String,
    pub status: StepStatus,
    /// What it waits for: gate, timer, child, breaker; or quota, while it is ready.
    pub waits_for: Option<String>,
    pub attempt: u32,
    /// As its last attempt used them: expressions resolved, secrets masked; before, as in the plan. When they have more than 2 KiB in all,
    /// large values are cut with a mark, and those that do not fit even so are left out: `… [inputs left out]` is their number.
    /// `GET /api/runs/{id}/steps/{step_id}/inputs` has all of them.
    #[schema(value_type = Object)]
    pub inputs: Value,
    pub inputs_are_cut: bool,
    /// Finished attempts, oldest first; the current one is in `attempt`, `worker` and `started_at`.
    #[serde(default)]
    pub attempts: Vec<Attempt>,
    pub worker: Option<String>,
    /// Names of the steps that it needs.
    #[serde(default)]
    #[schema(required)]
    pub needs: Vec<String>,
    pub ready_at: Option<DateTime<Utc>>,
    pub started_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
    #[schema(value_type = Option<Object>)]
    pub outputs: Option<Value>,
    #[schema(value_type = Option<Object>)]
    pub error: Option<Value>,
}

#[derive(Deserialize)]
struct Edge {
    step_id: Uuid,
    needs_id: Uuid,
}

/// A run of the caller's tenant.
pub(crate) async fn find(app: &App, caller: &Caller, id: Uuid) -> Result<Run, Refusal> {
    let db = app.db(caller);
    let select = format!(
        "{COLUMNS},plan,steps:step(id,parent_id,name,tool,status,waits_for:shown_waits_for,attempt,worker,ready_at,started_at,ended_at,\
         inputs:shown_inputs->inputs,inputs_are_cut:shown_inputs->is_cut,outputs,error),artifacts:artifact(*),gates:gate({GATES}),{EMBEDDED}"
    );
    let run = Query::of(
        "run",
        [
            ("id", format!("eq.{id}")),
            ("select", select),
            ("steps.order", "position,item_index.nullsfirst".to_owned()),
            ("artifacts.order", "created_at".to_owned()),
            ("gates.order", "created_at".to_owned()),
        ],
    );
    let edges = Query::of("step_edge", [("run_id", format!("eq.{id}")), ("select", "step_id,needs_id".to_owned())]);
    let (runs, edges): (Vec<Run>, Vec<Edge>) = tokio::try_join!(db.read(&run), db.read(&edges))?;
    // After the steps: one that has ended shows the attempt that ended it.
    let attempts: Vec<Attempt> = db.read(&attempts::of_run(id, &format!("{},error,isolation,usage", attempts::COLUMNS))).await?;
    let missing = || Problem::new(Kind::RunNotFound, format!("Run {id} was not found. List runs with GET /api/runs."));
    let mut run = runs.into_iter().next().ok_or_else(missing)?;
    // A for_each step needs its children inside the engine; to people they are its parts.
    let names: HashMap<Uuid, String> =
        run.steps.iter().filter(|step| step.parent_id.is_none()).map(|step| (step.id, step.name.clone())).collect();
    let places: HashMap<Uuid, usize> = run.steps.iter().enumerate().map(|(at, step)| (step.id, at)).collect();
    for edge in edges {
        if let (Some(place), Some(need)) = (places.get(&edge.step_id), names.get(&edge.needs_id)) {
            run.steps[*place].needs.push(need.clone());
        }
    }
    for attempt in attempts {
        if let Some(place) = places.get(&attempt.step_id) {
            run.steps[*place].attempts.push(attempt);
        }
    }
    Ok(run)
}

/// Show a run.
///
/// For every role. Returns the run with its plan as it was submitted, its steps, artifacts and gates.
#[utoipa::path(get, path = "/runs/{id}", security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 200, body = Run), (status = 304)))]
pub(crate) async fn get_run(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    Ok(cached(&headers, &find(&app, &caller, id).await?))
}
