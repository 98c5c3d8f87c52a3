//! `/api/retention/holds`: legal holds. What they name is not deleted, whatever its retention.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use nofx_shared::auth::Role;
use nofx_shared::db::Query;
use nofx_shared::retention::LegalHold;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::App;
use crate::http::{Authenticated, Body, Page, Path, Refusal, cached};

/// A legal hold to place.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewHold {
    /// The run; without it everything of the tenant.
    run_id: Option<Uuid>,
    /// 1 to 2,000 characters; the audit log keeps it.
    reason: String,
}

/// List the legal holds.
///
/// For supervisors: the newest thousand, newest first. What they name is not deleted, whatever its retention.
#[utoipa::path(get, path = "/retention/holds", security(("bearer" = [])),
    responses((status = 200, body = Page<LegalHold>), (status = 304)))]
pub(crate) async fn list_holds(State(app): State<App>, caller: Authenticated, headers: HeaderMap) -> Result<Response, Refusal> {
    caller.at_least(Role::Supervisor)?;
    let query = Query::of("legal_hold", [("select", LegalHold::COLUMNS), ("order", "created_at.desc,id.desc"), ("limit", "1000")]);
    let data: Vec<LegalHold> = app.db(&caller).read(&query).await?;
    Ok(cached(&headers, &Page { data, next_cursor: None }))
}

/// Place a legal hold.
///
/// For supervisors: on a run, or, without `run_id`, on everything of the tenant. It waits for a deletion that is under way. A second hold on
/// the same run is another hold; a request that is sent again with its `Idempotency-Key` is not. Returns the hold.
#[utoipa::path(post, path = "/retention/holds", request_body = NewHold, security(("bearer" = [])),
    responses((status = 201, body = LegalHold), (status = 404), (status = 422)))]
pub(crate) async fn place_hold(
    State(app): State<App>,
    caller: Authenticated,
    body: Body<NewHold>,
) -> Result<(StatusCode, axum::Json<LegalHold>), Refusal> {
    let arguments = json!({"p_run": body.value.run_id, "p_reason": body.value.reason});
    Ok((StatusCode::CREATED, axum::Json(app.db(&caller).call("place_hold", &arguments).await?)))
}

/// Release a legal hold.
///
/// For supervisors. The retention applies again to what no other hold names. The audit log keeps the hold and its reason.
#[utoipa::path(delete, path = "/retention/holds/{id}", security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 204), (status = 404)))]
pub(crate) async fn release_hold(State(app): State<App>, caller: Authenticated, Path(id): Path<Uuid>) -> Result<StatusCode, Refusal> {
    app.db(&caller).call::<_, ()>("release_hold", &json!({"p_id": id})).await?;
    Ok(StatusCode::NO_CONTENT)
}
