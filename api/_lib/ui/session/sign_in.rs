//! `/ui/sign-in`: password, link by mail, providers; `/ui/sign-out`.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use nofx_shared::auth::record_sign_in;
use nofx_shared::limits::{LimitCheck, RateLimitDecision};
use nofx_shared::problem::{Kind, Problem};
use serde::Deserialize;
use uuid::Uuid;

use super::auth::{Denied, Granted};
use super::cookies::{clear, is_secure, set_cookie, store};
use super::sign_in_page::{ours, page};
use crate::http::{ClientAddress, Params, Path, Refusal, cookie};
use crate::ui::Ui;
use crate::ui::forms::{Fields, Form};
use crate::ui::url::query;

/// Proves that the browser that returns with a code is the one that requested it (RFC 7636).
const VERIFIER_COOKIE: &str = "nofx_verifier";
const VERIFIER_S: u32 = 900;

pub(in crate::ui) fn routes() -> Router<Ui> {
    Router::new()
        .route("/ui/sign-in", get(show).post(with_password))
        .route("/ui/sign-in/link", post(send_link))
        .route("/ui/sign-in/with/{provider}", get(with_provider))
        .route("/ui/sign-in/callback", get(come_back))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Query {
    next: String,
    code: String,
    error_description: String,
}

async fn show(State(ui): State<Ui>, Params(query): Params<Query>) -> Response {
    page(&ui, &query.next, StatusCode::OK, None)
}

type Address = Option<axum::Extension<ClientAddress>>;

/// The limit of failed attempts from an address.
fn attempts(ui: &Ui, address: &Address) -> Option<LimitCheck> {
    let axum::Extension(ClientAddress(address)) = address.as_ref()?;
    Some(LimitCheck::failed_auth(ui.app.limits().settings(), *address)).filter(|check| check.policy.limit > 0)
}

fn too_many(ui: &Ui, next: &str) -> Response {
    page(ui, next, StatusCode::TOO_MANY_REQUESTS, Some("Too many sign-in attempts. Try again in a minute."))
}

async fn with_password(State(ui): State<Ui>, address: Address, headers: HeaderMap, fields: Fields) -> Response {
    let next = fields.text("next").unwrap_or_default();
    let attempts = attempts(&ui, &address);
    if attempts.as_ref().and_then(|attempts| ui.app.limits().is_used_up(attempts)).is_some() {
        return too_many(&ui, next);
    }
    let (email, password) = (fields.text("email").unwrap_or_default(), fields.text("password").unwrap_or_default());
    let granted = ui.auth.with_password(email, password).await;
    if let (Err(Denied::Refused(_)), Some(attempts)) = (&granted, attempts) {
        ui.app.limits().take(&[attempts]).await;
    }
    enter(&ui, &headers, next, granted).await
}

/// Signs someone in, or shows why not.
async fn enter(ui: &Ui, headers: &HeaderMap, next: &str, granted: Result<Granted, Denied>) -> Response {
    let granted = match granted {
        Ok(granted) => granted,
        Err(Denied::Refused(why)) => {
            return page(ui, next, StatusCode::UNAUTHORIZED, Some(&format!("{why}. Try again, or ask an admin of your tenant.")));
        }
        Err(Denied::Unavailable) => {
            return page(ui, next, StatusCode::SERVICE_UNAVAILABLE, Some("Sign-in is unavailable. Try again shortly."));
        }
    };
    match ui.app.identify(&granted.access_token).await {
        Ok(caller) => {
            if let Err(error) = record_sign_in(&ui.app.db(&caller)).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "could not record the sign-in: others will see an id");
            }
        }
        Err(problem) => {
            let why = match problem.kind {
                Kind::Unauthorized => "Your account does not belong to a tenant yet. Ask an admin to add you.".to_owned(),
                _ => problem.detail,
            };
            return page(ui, next, StatusCode::FORBIDDEN, Some(&why));
        }
    }
    let mut response = Redirect::to(ours(next)).into_response();
    store(response.headers_mut(), &granted, is_secure(headers), Some(Uuid::now_v7()));
    set_cookie(response.headers_mut(), VERIFIER_COOKIE, "", 0, is_secure(headers));
    response
}

/// Where links and providers lead back to. Never a host that a header of a proxy names: an attacker could send one, and get the link of
/// someone else.
fn callback(ui: &Ui, headers: &HeaderMap, next: &str) -> String {
    let base = ui.app.settings().public_url.clone().unwrap_or_else(|| {
        let scheme = if is_secure(headers) { "https" } else { "http" };
        format!("{scheme}://{}", headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default())
    });
    format!("{base}/ui/sign-in/callback?{}", query([("next", ours(next))]))
}

fn new_verifier() -> String {
    // 256 bits, as RFC 7636 recommends.
    hex::encode(rand::random::<[u8; 32]>())
}

async fn send_link(State(ui): State<Ui>, address: Address, headers: HeaderMap, fields: Fields) -> Response {
    let (next, email) = (fields.text("next").unwrap_or_default(), fields.text("email").unwrap_or_default());
    // Each one sends a mail.
    if let Some(attempts) = attempts(&ui, &address)
        && matches!(ui.app.limits().take(&[attempts]).await, RateLimitDecision::Refused(_))
    {
        return too_many(&ui, next);
    }
    let verifier = new_verifier();
    match ui.auth.send_link(email, &callback(&ui, &headers, next), &verifier).await {
        Ok(()) => {
            let mut response = page(
                &ui,
                next,
                StatusCode::OK,
                Some("If that address has an account, a link is on its way. Open it in this browser within ten minutes."),
            );
            set_cookie(response.headers_mut(), VERIFIER_COOKIE, &verifier, VERIFIER_S, is_secure(&headers));
            response
        }
        Err(Denied::Refused(why)) => page(&ui, next, StatusCode::BAD_REQUEST, Some(&format!("Could not send the link: {why}."))),
        Err(Denied::Unavailable) => page(&ui, next, StatusCode::SERVICE_UNAVAILABLE, Some("Sign-in is unavailable. Try again shortly.")),
    }
}

async fn with_provider(
    State(ui): State<Ui>,
    Path(provider): Path<String>,
    Params(query): Params<Query>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    if !ui.app.settings().oauth_providers.contains(&provider) {
        return Err(Problem::new(Kind::NotFound, "Unknown sign-in provider. NOFX_OAUTH_PROVIDERS lists the allowed ones.").into());
    }
    let verifier = new_verifier();
    let url = ui.auth.provider_url(&provider, &callback(&ui, &headers, &query.next), &verifier);
    let mut response = Redirect::to(&url).into_response();
    set_cookie(response.headers_mut(), VERIFIER_COOKIE, &verifier, VERIFIER_S, is_secure(&headers));
    Ok(response)
}

async fn come_back(State(ui): State<Ui>, Params(query): Params<Query>, headers: HeaderMap) -> Response {
    if query.code.is_empty() {
        let why = if query.error_description.is_empty() { "The link has no code" } else { &query.error_description };
        return page(&ui, &query.next, StatusCode::BAD_REQUEST, Some(&format!("{why}. Request a new link.")));
    }
    let Some(verifier) = cookie(&headers, VERIFIER_COOKIE) else {
        return page(
            &ui,
            &query.next,
            StatusCode::BAD_REQUEST,
            Some("Open the link in the browser that requested it, within ten minutes."),
        );
    };
    let granted = ui.auth.with_code(&query.code, verifier).await;
    enter(&ui, &headers, &query.next, granted).await
}

/// `POST /ui/sign-out`
pub(in crate::ui) async fn sign_out(State(ui): State<Ui>, form: Form) -> Response {
    if let Some(token) = &form.session.caller.session {
        ui.auth.sign_out(token).await;
        ui.app.forget_session(token);
    }
    let mut response = Redirect::to("/ui/sign-in").into_response();
    clear(response.headers_mut(), is_secure(&form.parts.headers));
    response
}
