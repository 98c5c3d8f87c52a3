//! `/api/workspace`: the repository that runs of a tenant work on when their plan names none.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use nofx_shared::db::Query;
use nofx_shared::plan::Workspace;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::App;
use crate::http::{Authenticated, Body, Refusal, cached};

/// The default workspace of a tenant.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DefaultWorkspace {
    /// `git`: URL or path of a repository; `ref`: branch, tag or commit, default: the repository's HEAD. Null: plans that name no workspace
    /// start with an empty folder.
    // Required: an empty body must not remove it.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(value_type = Option<Object>, required)]
    workspace: Option<Workspace>,
}

/// Show the default workspace of the tenant.
///
/// For every role. Runs whose plan names no workspace start with it; null: with an empty folder.
#[utoipa::path(get, path = "/workspace", security(("bearer" = [])),
    responses((status = 200, body = DefaultWorkspace), (status = 304)))]
pub(crate) async fn get_default_workspace(State(app): State<App>, caller: Authenticated, headers: HeaderMap) -> Result<Response, Refusal> {
    let filters = vec![("select".to_owned(), "git,ref".to_owned())];
    let rows: Vec<Workspace> = app.db(&caller).read(&Query { table: "default_workspace", filters }).await?;
    Ok(cached(&headers, &DefaultWorkspace { workspace: rows.into_iter().next() }))
}

/// Set the default workspace of the tenant.
///
/// For admins. Replaces the previous one; null for none. Runs that exist are not changed. Sending it twice changes nothing more. Returns it
/// as it is stored.
#[utoipa::path(post, path = "/workspace", request_body = DefaultWorkspace, security(("bearer" = [])),
    responses((status = 200, body = DefaultWorkspace), (status = 422)))]
pub(crate) async fn set_default_workspace(
    State(app): State<App>,
    caller: Authenticated,
    body: Body<DefaultWorkspace>,
) -> Result<Response, Refusal> {
    let (git, reference) = body.value.workspace.map(|workspace| (workspace.git, workspace.r#ref)).unzip();
    let arguments = json!({"p_git": git, "p_ref": reference.flatten()});
    let workspace = app.db(&caller).call("set_default_workspace", &arguments).await?;
    Ok(axum::Json(DefaultWorkspace { workspace }).into_response())
}
