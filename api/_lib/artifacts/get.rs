//! `GET /api/artifacts/{id}`

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use nofx_shared::auth::Caller;
use nofx_shared::db::Query;
use nofx_shared::problem::Kind;
use uuid::Uuid;

use super::artifact::Artifact;
use crate::App;
use crate::http::{Authenticated, Path, Refusal, cached, one};

pub(super) async fn find(app: &App, caller: &Caller, id: Uuid) -> Result<Artifact, Refusal> {
    let query = Query::of("artifact", [("id", format!("eq.{id}"))]);
    let detail = format!("Artifact {id} was not found. GET /api/runs/{{id}} lists the artifacts of a run.");
    one(&app.db(caller), &query, Kind::ArtifactNotFound, detail).await
}

/// Show the metadata of an artifact.
///
/// For every role. The content is at `/api/artifacts/{id}/content`.
#[utoipa::path(get, path = "/artifacts/{id}", security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 200, body = Artifact), (status = 304)))]
pub(crate) async fn get_artifact(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    Ok(cached(&headers, &find(&app, &caller, id).await?))
}
