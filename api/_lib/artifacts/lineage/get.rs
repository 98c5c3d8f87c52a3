//! `GET /api/runs/{id}/lineage`: as JSON, or as a drawing.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use uuid::Uuid;

use super::draw::draw;
use super::graph::Lineage;
use super::trace::trace;
use crate::App;
use crate::http::{Authenticated, Params, Path, Refusal, cached};

#[derive(Deserialize)]
pub(crate) struct Options {
    format: Option<LineageFormat>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LineageFormat {
    Json,
    Svg,
}

/// Show where the artifacts of a run come from, and where they went.
///
/// For every role. Returns the steps and artifacts of the run, the artifacts of other runs that it used, and the steps of other runs that
/// used its own, as a graph; or as a drawing with `format=svg`.
#[utoipa::path(get, path = "/runs/{id}/lineage", security(("bearer" = [])),
    params(("id" = Uuid, Path), ("format" = Option<LineageFormat>, Query, description = "`json`, or `svg` for a drawing")),
    responses((status = 200, content((Lineage = "application/json"), (String = "image/svg+xml"))), (status = 304)))]
pub(crate) async fn get_lineage(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    Params(options): Params<Options>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let lineage = trace(&app, &caller, id).await?;
    if options.format == Some(LineageFormat::Svg) {
        return Ok(([(header::CONTENT_TYPE, "image/svg+xml")], draw(&lineage, id)).into_response());
    }
    Ok(cached(&headers, &lineage))
}
