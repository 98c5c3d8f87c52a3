//! `GET /api/gates/{id}`

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use nofx_shared::auth::Caller;
use nofx_shared::db::Query;
use nofx_shared::problem::Kind;
use uuid::Uuid;

use super::gate::{COLUMNS_TO_DECIDE, Gate};
use crate::App;
use crate::http::{Authenticated, Path, Refusal, cached, one};

/// A gate of the caller's tenant.
pub(crate) async fn find(app: &App, caller: &Caller, id: Uuid) -> Result<Gate, Refusal> {
    let filters = [("id", format!("eq.{id}")), ("select", COLUMNS_TO_DECIDE.to_owned()), ("gate_decision.order", "created_at".to_owned())];
    let detail = format!("Gate {id} was not found. List gates with GET /api/gates.");
    one(&app.db(caller), &Query::of("gate", filters), Kind::GateNotFound, detail).await
}

/// Show a gate.
///
/// For every role. Returns the gate with all decisions, and the step and the run that it holds up.
#[utoipa::path(get, path = "/gates/{id}", security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 200, body = Gate), (status = 304)))]
pub(crate) async fn get_gate(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    Ok(cached(&headers, &find(&app, &caller, id).await?))
}
