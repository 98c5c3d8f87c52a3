//! The `apikey` check of Supabase's gateway: a project key must come with every call, in a header or in the query.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::project::Project;

/// Lets a call with a project key through. Without an `Authorization` of its own it acts as that key.
pub(super) async fn require(State(project): State<Arc<Project>>, mut request: Request, next: Next) -> Response {
    let from_header = request.headers().get("apikey").and_then(|value| value.to_str().ok());
    let from_query = request.uri().query().and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("apikey=")));
    let Some(key) = from_header.or(from_query) else {
        return refuse("No API key found in request");
    };
    if key != project.anon_key && key != project.service_role_key {
        return refuse("Invalid authentication credentials");
    }
    if !request.headers().contains_key(header::AUTHORIZATION)
        && let Ok(bearer) = HeaderValue::from_str(&format!("Bearer {key}"))
    {
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
    }
    next.run(request).await
}

fn refuse(message: &str) -> Response {
    (StatusCode::UNAUTHORIZED, Json(json!({"message": message}))).into_response()
}
