//! `POST /auth/v1/token`: a session for a password, a refresh token, or the code of a link.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::access_token::session;
use super::problem::problem;
use super::user::user;
use crate::people::Person;
use crate::project::Project;

/// How long an access token is valid, as by default in a hosted project.
const SESSION_S: i64 = 3600;
const REFRESH_S: i64 = 30 * 86_400;

#[derive(Deserialize)]
pub(super) struct Grant {
    grant_type: String,
}

/// The fields of all grants.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Given {
    email: String,
    password: String,
    refresh_token: String,
    auth_code: String,
    code_verifier: String,
}

/// `POST /auth/v1/token?grant_type=password | refresh_token | pkce`
pub(super) async fn token(State(project): State<Arc<Project>>, Query(grant): Query<Grant>, Json(given): Json<Given>) -> Response {
    let refused = |code, message| problem(StatusCode::BAD_REQUEST, code, message);
    let person = match grant.grant_type.as_str() {
        "password" => project
            .people
            .iter()
            .find(|person| person.email.eq_ignore_ascii_case(&given.email) && person.password == given.password)
            .ok_or_else(|| refused("invalid_credentials", "Invalid login credentials")),
        "refresh_token" => project
            .redeem(&given.refresh_token, "refresh")
            .map(|(person, _)| person)
            .ok_or_else(|| refused("refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found")),
        "pkce" => project
            .redeem(&given.auth_code, "code")
            .filter(|(_, claims)| claims["challenge"].as_str() == Some(&challenge(&given.code_verifier)))
            .map(|(person, _)| person)
            .ok_or_else(|| refused("bad_code_verifier", "code challenge does not match previously saved code verifier")),
        _ => Err(refused("unsupported_grant_type", "unsupported_grant_type")),
    };
    match person {
        Ok(person) => Json(granted(&project, person)).into_response(),
        Err(refusal) => refusal,
    }
}

fn granted(project: &Project, person: &Person) -> Value {
    let now = Utc::now();
    json!({
        "access_token": project.signing_key.sign(&session(person.id, &person.email, project.tenant_id, &person.role, SESSION_S)),
        "token_type": "bearer", "expires_in": SESSION_S, "expires_at": now.timestamp() + SESSION_S,
        "refresh_token": project.issue(person, "refresh", &Value::Null, REFRESH_S), "user": user(person, project.tenant_id, now),
    })
}

/// `POST /auth/v1/logout`: the session of the token ends.
pub(super) async fn sign_out(State(project): State<Arc<Project>>, headers: HeaderMap) -> StatusCode {
    let Some(claims) = project.claims(&headers) else { return StatusCode::UNAUTHORIZED };
    if let Some(session) = claims["session_id"].as_str() {
        project.ended_sessions.lock().expect("nobody panics while holding it").insert(session.to_owned());
    }
    StatusCode::NO_CONTENT
}

/// The challenge that is sent before the verifier (RFC 7636, S256).
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}
