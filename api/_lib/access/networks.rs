//! `/api/networks`: private networks that hooks and `http` steps of a tenant may reach.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use nofx_shared::db::Query;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::App;
use crate::http::{Authenticated, Body, Operator, Page, Refusal, cached};

/// A private network that a tenant may reach.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct Network {
    tenant_id: Uuid,
    /// `10.1.0.0/16`
    network: String,
}

/// The networks of a tenant; replaces the previous ones.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewNetworks {
    tenant_id: Uuid,
    networks: Vec<String>,
}

/// List the private networks that the tenant may reach.
///
/// For every role. Hooks and `http` steps may call addresses in these networks, besides public ones.
#[utoipa::path(get, path = "/networks", security(("bearer" = [])),
    responses((status = 200, body = Page<Network>), (status = 304)))]
pub(crate) async fn list_networks(State(app): State<App>, caller: Authenticated, headers: HeaderMap) -> Result<Response, Refusal> {
    let filters = vec![("select".to_owned(), "tenant_id,network".to_owned()), ("order".to_owned(), "network".to_owned())];
    let data: Vec<Network> = app.db(&caller).read(&Query { table: "allowed_network", filters }).await?;
    Ok(cached(&headers, &Page { data, next_cursor: None }))
}

/// Set the private networks that a tenant may reach.
///
/// For operators, since the networks belong to the deployment: an admin who also sends its key in `X-Internal-Api-Key`. Replaces the
/// previous list, so sending it twice changes nothing more. Returns the list as it is stored.
#[utoipa::path(post, path = "/networks", request_body = NewNetworks, security(("bearer" = [], "internal_key" = [])),
    responses((status = 200, body = Page<Network>), (status = 404)))]
pub(crate) async fn set_networks(
    State(app): State<App>,
    operator: Operator,
    body: Body<NewNetworks>,
) -> Result<axum::Json<Page<Network>>, Refusal> {
    let arguments = json!({"p_tenant": body.value.tenant_id, "p_networks": body.value.networks});
    let data: Vec<Network> = app.db_for_operator(&operator.0).call("set_networks", &arguments).await?;
    Ok(axum::Json(Page { data, next_cursor: None }))
}
