//! `/api/isolation`: what a tenant demands of where its steps run. The database applies it when a worker claims a step.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use nofx_shared::db::Query;
use nofx_shared::drivers::{Driver, Level, Toolchain};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::App;
use crate::http::{Authenticated, Body, Refusal, cached};

/// What a tenant demands of where its steps run.
// All are required: a minimum is not removed by leaving it out.
#[derive(Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IsolationSettings {
    /// Where a step runs whose plan names no driver, if that driver takes its tool; null: `worker-container`.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required)]
    default_driver: Option<Driver>,
    /// The minimum of all steps; null: none but the operator's.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required)]
    min_isolation: Option<Level>,
    /// Minimums of tools: a name, or a prefix that ends in `*`, → level. All that fit a tool apply.
    tools: BTreeMap<String, Level>,
    /// What machines of steps are made from that name no image: `e2b`, `modal` or `task` (the placement) → image. Empty: the drivers' own.
    images: BTreeMap<String, String>,
    /// The toolchains of a worker that steps see which name none; null: all.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required, value_type = Option<Vec<String>>)]
    toolchains: Option<Vec<Toolchain>>,
}

/// Show what the tenant demands of where its steps run.
///
/// For every role. Empty when the tenant set nothing: steps run on `worker-container` with the operator's minimum.
#[utoipa::path(get, path = "/isolation", security(("bearer" = [])),
    responses((status = 200, body = IsolationSettings), (status = 304)))]
pub(crate) async fn get_isolation(State(app): State<App>, caller: Authenticated, headers: HeaderMap) -> Result<Response, Refusal> {
    let filters = vec![("select".to_owned(), "default_driver,min_isolation,tools,images,toolchains".to_owned())];
    let rows: Vec<IsolationSettings> = app.db(&caller).read(&Query { table: "isolation", filters }).await?;
    Ok(cached(&headers, &rows.into_iter().next().unwrap_or_default()))
}

/// Set what the tenant demands of where its steps run.
///
/// For admins. Replaces all previous settings; they apply to every step that is claimed from then on, also in runs that were submitted
/// earlier. A step gets the highest of its own minimum, the tenant's, that of its tool and the operator's. Sending it twice changes nothing
/// more. Returns the settings as they are stored.
#[utoipa::path(post, path = "/isolation", request_body = IsolationSettings, security(("bearer" = [])),
    responses((status = 200, body = IsolationSettings), (status = 422)))]
pub(crate) async fn set_isolation(
    State(app): State<App>,
    caller: Authenticated,
    body: Body<IsolationSettings>,
) -> Result<Response, Refusal> {
    let wanted = &body.value;
    let arguments = json!({
        "p_default_driver": wanted.default_driver, "p_min_isolation": wanted.min_isolation, "p_tools": wanted.tools, "p_images": wanted.images,
        "p_toolchains": wanted.toolchains,
    });
    let set: IsolationSettings = app.db(&caller).call("set_isolation", &arguments).await?;
    Ok(axum::Json(set).into_response())
}
