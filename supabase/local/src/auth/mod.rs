//! `/auth/v1`: sign-in for the seeded people, in `GoTrue`'s shapes. Also signs every JWT of the stack.

mod grants;
mod links;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::people::Person;
use crate::project::Project;
pub(crate) use grants::{sign_out, token};
pub(crate) use links::{authorize, send_link, verify_link};

/// Signs a token as Supabase does: HS256 with the project's secret.
pub fn sign(secret: &str, claims: &Value) -> String {
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(secret.as_bytes()))
        .expect("claims made of JSON values always serialise")
}

/// A token for one of the API roles (`anon`, `service_role`), valid for ten years like the keys of a hosted project.
pub fn api_key(secret: &str, role: &str) -> String {
    let now = Utc::now().timestamp();
    sign(secret, &json!({"iss": "supabase", "ref": "local", "role": role, "iat": now, "exp": now + 10 * 365 * 86_400}))
}

/// An access token for a person of a tenant, signed with the secret.
pub fn access_token(secret: &str, subject: Uuid, email: &str, tenant: Uuid, role: &str, valid_s: i64) -> String {
    sign(secret, &session(subject, email, tenant, role, valid_s))
}

fn session(subject: Uuid, email: &str, tenant: Uuid, role: &str, valid_s: i64) -> Value {
    let now = Utc::now().timestamp();
    json!({
        "aud": "authenticated", "role": "authenticated", "sub": subject, "email": email, "iat": now, "exp": now + valid_s,
        "app_metadata": {"provider": "email", "tenant_id": tenant, "nofx_role": role}, "user_metadata": {},
        "session_id": Uuid::now_v7(), "is_anonymous": false,
    })
}

/// The claims of a token that the project signed, with its secret or with its key pair.
pub(crate) fn verify(project: &Project, token: &str) -> Result<Value, jsonwebtoken::errors::Error> {
    if jsonwebtoken::decode_header(token)?.alg == Algorithm::ES256 {
        return decode(token, &project.signing_key.verifier(), Algorithm::ES256);
    }
    verify_secret(&project.jwt_secret, token)
}

/// The claims of a token that was signed with the secret: keys, and URLs of Storage.
pub(crate) fn verify_secret(secret: &str, token: &str) -> Result<Value, jsonwebtoken::errors::Error> {
    decode(token, &DecodingKey::from_secret(secret.as_bytes()), Algorithm::HS256)
}

fn decode(token: &str, key: &DecodingKey, algorithm: Algorithm) -> Result<Value, jsonwebtoken::errors::Error> {
    let mut rules = Validation::new(algorithm);
    rules.validate_aud = false;
    rules.leeway = 0;
    Ok(jsonwebtoken::decode::<Value>(token, key, &rules)?.claims)
}

/// The claims of whoever calls.
pub(crate) fn claims(project: &Project, headers: &HeaderMap) -> Option<Value> {
    verify(project, bearer(headers)?).ok()
}

/// `GET /auth/v1/.well-known/jwks.json`: what tokens of people are checked with.
pub(crate) async fn show_keys(State(project): State<Arc<Project>>) -> Json<Value> {
    Json(json!({"keys": [project.signing_key.public_jwk()]}))
}

/// `GET /auth/v1/user`
pub(crate) async fn show_user(State(project): State<Arc<Project>>, headers: HeaderMap) -> Response {
    let claims = claims(&project, &headers);
    let person = claims
        .as_ref()
        .and_then(|claims| project.people.iter().find(|person| claims["sub"].as_str() == Some(person.id.to_string().as_str())));
    match person {
        Some(person) => Json(user(person, project.tenant_id, Utc::now())).into_response(),
        None => problem(StatusCode::FORBIDDEN, "bad_jwt", "invalid JWT: unable to parse or verify signature"),
    }
}

pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

fn user(person: &Person, tenant: Uuid, now: DateTime<Utc>) -> Value {
    json!({
        "id": person.id, "aud": "authenticated", "role": "authenticated", "email": person.email,
        "email_confirmed_at": now, "phone": "", "confirmed_at": now, "last_sign_in_at": now,
        "app_metadata": {"provider": "email", "providers": ["email"], "tenant_id": tenant, "nofx_role": person.role},
        "user_metadata": {}, "identities": [], "created_at": now, "updated_at": now, "is_anonymous": false,
    })
}

fn problem(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({"code": status.as_u16(), "error_code": code, "msg": message}))).into_response()
}
