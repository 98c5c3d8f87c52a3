//! `GET /api/artifacts/{id}/content`

use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::get::find;
use crate::App;
use crate::http::{Authenticated, Path, Refusal};

/// Download an artifact.
///
/// For every role. Redirects to a URL that is valid for five minutes and needs no credential: do not send yours there. `ETag` is the
/// artifact's digest, with which the bytes can be verified.
#[utoipa::path(get, path = "/artifacts/{id}/content", security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 302, description = "`Location` is the URL of the content.")))]
pub(crate) async fn get_artifact_content(State(app): State<App>, caller: Authenticated, Path(id): Path<Uuid>) -> Result<Response, Refusal> {
    let artifact = find(&app, &caller, id).await?;
    let url = app.storage().sign(&artifact.blob, Duration::from_secs(300)).await?;
    // The client can verify what it downloads.
    let headers = [(header::LOCATION, url), (header::ETAG, format!("\"{}\"", artifact.hash))];
    Ok((StatusCode::FOUND, headers).into_response())
}
