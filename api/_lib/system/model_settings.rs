//! `/api/models/settings`: which models a tenant prefers, and what it may spend.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use nofx_shared::db::Query;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::App;
use crate::http::{Authenticated, Body, Refusal, cached};

/// Model settings of a tenant.
#[derive(Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ModelSettings {
    /// codegen, reasoning or docs → `provider` or `provider/model`, the first choice first.
    order: BTreeMap<String, Vec<String>>,
    /// `run_usd`, `run_tokens`, `day_usd`, `day_tokens`: limits for a run and for a day (UTC).
    #[schema(value_type = Object)]
    budget: BTreeMap<String, Value>,
}

/// Show the model settings of the tenant.
///
/// For every role. Empty when the tenant set none: the deployment's order applies and nothing is limited.
#[utoipa::path(get, path = "/models/settings", security(("bearer" = [])),
    responses((status = 200, body = ModelSettings), (status = 304)))]
pub(crate) async fn get_model_settings(State(app): State<App>, caller: Authenticated, headers: HeaderMap) -> Result<Response, Refusal> {
    let filters = vec![("select".to_owned(), "order,budget".to_owned())];
    let rows: Vec<ModelSettings> = app.db(&caller).read(&Query { table: "model_settings", filters }).await?;
    Ok(cached(&headers, &rows.into_iter().next().unwrap_or_default()))
}

/// Set the model settings of the tenant.
///
/// For admins. Replaces all previous settings; they apply to the next call of a model. Returns the settings as they are stored.
#[utoipa::path(post, path = "/models/settings", request_body = ModelSettings, security(("bearer" = [])),
    responses((status = 200, body = ModelSettings)))]
pub(crate) async fn set_model_settings(
    State(app): State<App>,
    caller: Authenticated,
    body: Body<ModelSettings>,
) -> Result<Response, Refusal> {
    let wanted = &body.value;
    let arguments = json!({"p_order": wanted.order, "p_budget": wanted.budget});
    let set: ModelSettings = app.db(&caller).call("set_model_settings", &arguments).await?;
    Ok(axum::Json(set).into_response())
}
