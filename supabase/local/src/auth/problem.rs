//! Errors in `GoTrue`'s shape.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

pub(super) fn problem(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({"code": status.as_u16(), "error_code": code, "msg": message}))).into_response()
}
