//! `GET /api/artifacts/{id}`

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use nofx_shared::auth::Caller;
use nofx_shared::db::Query;
use nofx_shared::problem::{Kind, Problem};
use uuid::Uuid;

use super::artifact::Artifact;
use crate::App;
use crate::http::{Authenticated, Path, Refusal, cached};

pub(super) async fn find(app: &App, caller: &Caller, id: Uuid) -> Result<Artifact, Refusal> {
    let query = Query { table: "artifact", filters: vec![("id".to_owned(), format!("eq.{id}"))] };
    let found: Vec<Artifact> = app.db(caller).read(&query).await?;
    let detail = format!("Artifact {id} was not found. GET /api/runs/{{id}} lists the artifacts of a run.");
    found.into_iter().next().ok_or_else(|| Problem::new(Kind::ArtifactNotFound, detail).into())
}

/// Show the metadata of an artifact.
#[utoipa::path(get, path = "/artifacts/{id}", security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 200, body = Artifact), (status = 304), (status = 401), (status = 404)))]
pub(crate) async fn get_artifact(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    Ok(cached(&headers, &find(&app, &caller, id).await?))
}
