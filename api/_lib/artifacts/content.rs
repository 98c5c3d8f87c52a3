//! `GET /api/artifacts/{id}/content`

use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::get::find;
use crate::App;
use crate::http::{Authenticated, Path, Refusal};

/// Download an artifact: redirects to a URL that is valid for five minutes.
#[utoipa::path(get, path = "/artifacts/{id}/content", security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 302), (status = 401), (status = 404)))]
pub(crate) async fn get_artifact_content(State(app): State<App>, caller: Authenticated, Path(id): Path<Uuid>) -> Result<Response, Refusal> {
    let artifact = find(&app, &caller, id).await?;
    let url = app.storage().sign(&artifact.blob, Duration::from_secs(300)).await?;
    // The client can verify what it downloads.
    let headers = [(header::LOCATION, url), (header::ETAG, format!("\"{}\"", artifact.hash))];
    Ok((StatusCode::FOUND, headers).into_response())
}
