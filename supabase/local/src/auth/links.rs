//! Signing in by a link: `POST /auth/v1/otp` sends it, `GET /auth/v1/verify` is where it leads. Nothing leaves the machine: what would be sent is
//! appended to `mail.jsonl` in the data directory.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::Utc;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::problem;
use crate::project::Project;

/// How long a link, and the code that it leads to, is valid.
const LINK_S: i64 = 600;

#[derive(Deserialize)]
pub(super) struct Where {
    #[serde(default)]
    redirect_to: String,
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    email: String,
    #[serde(default)]
    code_challenge: Value,
}

/// `POST /auth/v1/otp?redirect_to=…`: answers the same whether or not it knows the address.
pub(super) async fn send_link(
    State(project): State<Arc<Project>>,
    Query(Where { redirect_to }): Query<Where>,
    headers: HeaderMap,
    Json(wanted): Json<Wanted>,
) -> Response {
    if let Some(person) = project.people.iter().find(|person| person.email.eq_ignore_ascii_case(&wanted.email)) {
        let token = project.issue(person, "link", &wanted.code_challenge, LINK_S);
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let to = utf8_percent_encode(&redirect_to, NON_ALPHANUMERIC);
        let link = format!("http://{host}/auth/v1/verify?token={token}&type=magiclink&redirect_to={to}");
        let line = json!({"at": Utc::now(), "to": person.email, "subject": "Your sign-in link", "link": link});
        let file = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&project.mail);
        if let Err(error) = file.and_then(|mut file| writeln!(file, "{line}")) {
            tracing::error!(%error, "a sign-in link could not be written");
            return problem(StatusCode::INTERNAL_SERVER_ERROR, "unexpected_failure", "Error sending magic link email");
        }
    }
    Json(json!({})).into_response()
}

#[derive(Deserialize)]
pub(super) struct Link {
    token: String,
    #[serde(default)]
    redirect_to: String,
}

/// `GET /auth/v1/verify`: leads back with a code. Only to this machine: a hosted project has a list of its own.
pub(super) async fn verify_link(State(project): State<Arc<Project>>, Query(link): Query<Link>) -> Response {
    let is_here = ["http://127.0.0.1:", "http://localhost:"].iter().any(|start| link.redirect_to.starts_with(start));
    if !is_here {
        return problem(StatusCode::BAD_REQUEST, "validation_failed", "redirect_to is not allowed");
    }
    let query = match project.redeem(&link.token, "link") {
        Some((person, claims)) => format!("code={}", project.issue(person, "code", &claims["challenge"], LINK_S)),
        None => "error=access_denied&error_code=otp_expired&error_description=Email+link+is+invalid+or+has+expired".to_owned(),
    };
    let sign = if link.redirect_to.contains('?') { '&' } else { '?' };
    Redirect::to(&format!("{}{sign}{query}", link.redirect_to)).into_response()
}

/// `GET /auth/v1/authorize?provider=…`: there are no providers on one machine.
pub(super) async fn authorize() -> Response {
    problem(StatusCode::BAD_REQUEST, "validation_failed", "Unsupported provider: provider is not enabled")
}
