//! `GET /api/openapi.json` and `GET /api/schemas/*.json`

use axum::http::HeaderMap;
use axum::response::Response;
use nofx_shared::gates::Evidence;
use nofx_shared::plan;
use serde_json::value::RawValue;

use crate::http::cached;
use crate::openapi::CHECKED_IN;

/// This API's description.
#[utoipa::path(get, path = "/openapi.json", responses((status = 200)))]
pub(crate) async fn show_openapi(headers: HeaderMap) -> Response {
    let document: &RawValue = serde_json::from_str(CHECKED_IN).expect("a test compares it with the routers");
    cached(&headers, document)
}

/// The events: AsyncAPI 3, made from the types.
#[utoipa::path(get, path = "/asyncapi.json", responses((status = 200)))]
pub(crate) async fn show_asyncapi(headers: HeaderMap) -> Response {
    cached(&headers, &nofx_shared::events::document())
}

/// JSON Schema of a plan.
#[utoipa::path(get, path = "/schemas/plan.json", responses((status = 200)))]
pub(crate) async fn show_plan_schema(headers: HeaderMap) -> Response {
    cached(&headers, &plan::schema())
}

/// JSON Schema of the evidence that gates leave.
#[utoipa::path(get, path = "/schemas/evidence.json", responses((status = 200)))]
pub(crate) async fn show_evidence_schema(headers: HeaderMap) -> Response {
    cached(&headers, &Evidence::json_schema())
}
