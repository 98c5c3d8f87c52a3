//! A person in `GoTrue`'s shape.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::problem::problem;
use crate::people::Person;
use crate::project::Project;

/// `GET /auth/v1/user`
pub(super) async fn show_user(State(project): State<Arc<Project>>, headers: HeaderMap) -> Response {
    let claims = project.claims(&headers);
    let session = claims.as_ref().and_then(|claims| claims["session_id"].as_str()).unwrap_or_default();
    if project.ended_sessions.lock().expect("nobody panics while holding it").contains(session) {
        return problem(StatusCode::FORBIDDEN, "session_not_found", "Session from session_id claim in JWT does not exist");
    }
    let person = claims
        .as_ref()
        .and_then(|claims| project.people.iter().find(|person| claims["sub"].as_str() == Some(person.id.to_string().as_str())));
    match person {
        Some(person) => Json(user(person, project.tenant_id, Utc::now())).into_response(),
        None => problem(StatusCode::FORBIDDEN, "bad_jwt", "invalid JWT: unable to parse or verify signature"),
    }
}

pub(super) fn user(person: &Person, tenant: Uuid, now: DateTime<Utc>) -> Value {
    json!({
        "id": person.id, "aud": "authenticated", "role": "authenticated", "email": person.email,
        "email_confirmed_at": now, "phone": "", "confirmed_at": now, "last_sign_in_at": now,
        "app_metadata": {"provider": "email", "providers": ["email"], "tenant_id": tenant, "nofx_role": person.role},
        "user_metadata": {}, "identities": [], "created_at": now, "updated_at": now, "is_anonymous": false,
    })
}
