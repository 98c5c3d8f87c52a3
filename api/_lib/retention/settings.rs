//! `/api/retention`: for how many days the tenant keeps its history.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use nofx_shared::retention::{Retained, RetentionSetting};
use serde::Deserialize;
use serde_json::json;

use crate::App;
use crate::http::{Authenticated, Body, Page, Refusal, cached};

/// A retention to set.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRetention {
    what: Retained,
    /// 1 to 3650; null: forever, model calls and artifacts as long as their run. Required, so that forgetting it keeps nothing forever.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required)]
    days: Option<i32>,
}

/// List for how long the tenant keeps its history.
///
/// For every role: one entry for each of runs, model calls, artifacts, alerts and events, with `days` and whether it is the default.
/// A null is forever; for model calls and artifacts as long as their run.
#[utoipa::path(get, path = "/retention", security(("bearer" = [])),
    responses((status = 200, body = Page<RetentionSetting>), (status = 304)))]
pub(crate) async fn list_retention(State(app): State<App>, caller: Authenticated, headers: HeaderMap) -> Result<Response, Refusal> {
    let data: Vec<RetentionSetting> = app.db(&caller).call("list_retention", &json!({})).await?;
    Ok(cached(&headers, &Page { data, next_cursor: None }))
}

/// Set for how long the tenant keeps something.
///
/// For admins. What is older is deleted within hours, but for what a legal hold names. Sending it twice changes nothing more. Artifacts and
/// model calls cannot be kept longer than the runs that they belong to.
#[utoipa::path(post, path = "/retention", request_body = NewRetention, security(("bearer" = [])),
    responses((status = 204), (status = 422)))]
pub(crate) async fn set_retention(State(app): State<App>, caller: Authenticated, body: Body<NewRetention>) -> Result<StatusCode, Refusal> {
    let arguments = json!({"p_what": body.value.what, "p_days": body.value.days});
    app.db(&caller).call::<_, ()>("set_retention", &arguments).await?;
    Ok(StatusCode::NO_CONTENT)
}
