//! The public half of the project's key pair (RFC 7517).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::project::Project;

/// `GET /auth/v1/.well-known/jwks.json`: what tokens of people are checked with.
pub(super) async fn show_keys(State(project): State<Arc<Project>>) -> Json<Value> {
    Json(json!({"keys": [project.signing_key.public_jwk()]}))
}
