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
use uuid::Uuid;

use super::{claims, problem, session, sign, user, verify_secret};
use crate::people::Person;
use crate::project::Project;

/// How long an access token is valid, as by default in a hosted project.
const SESSION_S: i64 = 3600;
const REFRESH_S: i64 = 30 * 86_400;

#[derive(Deserialize)]
pub(crate) struct Grant {
    grant_type: String,
}

/// The fields of all grants.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Given {
    email: String,
    password: String,
    refresh_token: String,
    auth_code: String,
    code_verifier: String,
}

/// `POST /auth/v1/token?grant_type=password | refresh_token | pkce`
pub(crate) async fn token(State(project): State<Arc<Project>>, Query(grant): Query<Grant>, Json(given): Json<Given>) -> Response {
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

/// `POST /auth/v1/logout`
pub(crate) async fn sign_out(State(project): State<Arc<Project>>, headers: HeaderMap) -> StatusCode {
    if claims(&project, &headers).is_some() { StatusCode::NO_CONTENT } else { StatusCode::UNAUTHORIZED }
}

/// What is sent ahead of a verifier (RFC 7636, S256).
pub(super) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

impl Project {
    /// A token of a person for one use.
    pub(super) fn issue(&self, person: &Person, purpose: &str, challenge: &Value, valid_s: i64) -> String {
        let claims = json!({"sub": person.id, "purpose": purpose, "challenge": challenge, "jti": Uuid::now_v7(), "exp": Utc::now().timestamp() + valid_s});
        sign(&self.jwt_secret, &claims)
    }

    /// The person of a token, and its claims; none when it was used before.
    pub(super) fn redeem(&self, token: &str, purpose: &str) -> Option<(&Person, Value)> {
        let claims = verify_secret(&self.jwt_secret, token).ok().filter(|claims| claims["purpose"] == purpose)?;
        let id = claims["jti"].as_str()?.to_owned();
        if !self.used_tokens.lock().expect("nobody panics while holding it").insert(id) {
            return None;
        }
        let person = self.people.iter().find(|person| claims["sub"].as_str() == Some(person.id.to_string().as_str()))?;
        Some((person, claims))
    }
}
