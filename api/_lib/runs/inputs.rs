//! `GET /api/runs/{id}/steps/{step_id}/inputs`

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use nofx_shared::auth::Caller;
use nofx_shared::db::Query;
use nofx_shared::problem::Kind;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::App;
use crate::http::{Authenticated, Path, Refusal, cached, one};

/// The inputs of a step.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct StepInputs {
    /// As its last attempt used them: expressions resolved, secrets masked, values beyond 256 KiB in all cut with a mark. Before: as in the
    /// plan.
    #[schema(value_type = Object)]
    pub inputs: Value,
}

async fn find(app: &App, caller: &Caller, run: Uuid, step: Uuid) -> Result<StepInputs, Refusal> {
    #[derive(Deserialize)]
    struct Row {
        used: Option<Value>,
        planned: Option<Value>,
    }
    let select = "used:inputs,planned:spec->inputs".to_owned();
    let filters = [("id", format!("eq.{step}")), ("run_id", format!("eq.{run}")), ("select", select)];
    let detail = format!("Step {step} was not found. List the steps with GET /api/runs/{run}.");
    let row: Row = one(&app.db(caller), &Query::of("step", filters), Kind::StepNotFound, detail).await?;
    Ok(StepInputs { inputs: row.used.or(row.planned).unwrap_or_else(|| Value::Object(serde_json::Map::new())) })
}

/// Show all inputs of a step.
///
/// For every role. As its last attempt used them, secrets masked; before the first attempt ended, as the plan has them. The run itself shows
/// them cut when they are large.
#[utoipa::path(get, path = "/runs/{id}/steps/{step_id}/inputs", security(("bearer" = [])),
    params(("id" = Uuid, Path), ("step_id" = Uuid, Path)),
    responses((status = 200, body = StepInputs), (status = 304), (status = 404)))]
pub(crate) async fn get_step_inputs(
    State(app): State<App>,
    caller: Authenticated,
    Path((id, step_id)): Path<(Uuid, Uuid)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    Ok(cached(&headers, &find(&app, &caller, id, step_id).await?))
}
