//! The session of a person: the access token of Supabase Auth in a cookie that scripts cannot read, renewed while the refresh
//! token is valid.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nofx_shared::auth::{Caller, Role};
use nofx_shared::crypto::{hmac_sha256, is_hmac_sha256};
use nofx_shared::problem::{Kind, Problem};
use serde_json::Value;
use uuid::Uuid;

use super::url::encode;
use super::{Ui, auth};
use crate::http::{Identity, Refusal, SESSION_COOKIE, cookie};

const REFRESH_COOKIE: &str = "nofx_refresh";
/// Created at each sign-in; the tokens of forms are bound to it.
const BROWSER_COOKIE: &str = "nofx_browser";
const REFRESH_S: u32 = 30 * 86_400;

/// Someone who is signed in.
#[derive(Clone)]
pub(super) struct Session {
    pub caller: Caller,
    pub email: String,
    browser: String,
}

impl Session {
    pub(super) fn may(&self, least: Role) -> bool {
        self.caller.role >= least
    }

    /// The token of this session's forms.
    pub(super) fn csrf(&self, ui: &Ui) -> String {
        hmac_sha256(ui.app.settings().supabase.jwt_secret.as_bytes(), self.bound().as_bytes())
    }

    pub(super) fn has_csrf(&self, ui: &Ui, token: &str) -> bool {
        is_hmac_sha256(ui.app.settings().supabase.jwt_secret.as_bytes(), self.bound().as_bytes(), token)
    }

    fn bound(&self) -> String {
        format!("nofx form {} {}", self.browser, self.caller.subject)
    }
}

impl FromRequestParts<Ui> for Session {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Ui) -> Result<Self, Refusal> {
        let identity = parts.extensions.get::<Identity>().cloned().unwrap_or_default();
        let caller = identity.caller.ok_or_else(|| Problem::new(Kind::Unauthorized, "Sign in first."))??;
        if caller.scopes.is_some() {
            return Err(Problem::new(Kind::Forbidden, "Scoped API keys cannot open the dashboard. Use the API.").into());
        }
        let email = email_of(&caller.token).unwrap_or_else(|| caller.subject.clone());
        Ok(Self { browser: cookie(&parts.headers, BROWSER_COOKIE).unwrap_or_default().to_owned(), caller, email })
    }
}

/// The address in a token that was checked.
fn email_of(token: &str) -> Option<String> {
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?).ok()?;
    claims["email"].as_str().map(str::to_owned)
}

/// Requires a session, renewing an expired one; others are sent to sign in and return.
pub(super) async fn require(State(ui): State<Ui>, mut request: Request, next: Next) -> Response {
    let identity = request.extensions().get::<Identity>().cloned().unwrap_or_default();
    let is_signed_in = match &identity.caller {
        Some(Ok(_)) => true,
        // It cannot be verified now: signing in again would not help.
        Some(Err(problem)) => problem.kind == Kind::Unavailable,
        None => false,
    };
    if is_signed_in {
        return next.run(request).await;
    }
    if let Some(refresh) = cookie(request.headers(), REFRESH_COOKIE).map(str::to_owned)
        && let Ok(granted) = ui.auth.refresh(&refresh).await
        && let Ok(caller) = ui.app.identify(&granted.access_token).await
    {
        let secure = is_secure(request.headers());
        let caller = Caller { origin: identity.origin.clone(), ..caller };
        request.extensions_mut().insert(Identity { caller: Some(Ok(caller)), ..identity });
        let mut response = next.run(request).await;
        store(response.headers_mut(), &granted, secure, None);
        return response;
    }
    let back =
        if request.method() == Method::GET { request.uri().path_and_query().map_or("/ui/runs", |path| path.as_str()) } else { "/ui/runs" };
    let to = format!("/ui/sign-in?next={}", encode(back));
    if request.headers().contains_key("hx-request") {
        return (StatusCode::UNAUTHORIZED, [("hx-redirect", to)]).into_response();
    }
    Redirect::to(&to).into_response()
}

/// `GET /ui/session`: checks the session; a script calls it before it opens a stream again.
pub(super) async fn show(_: Session) -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Stores a session in the browser; `browser` is the id that a sign-in created.
pub(super) fn store(headers: &mut HeaderMap, granted: &auth::Granted, secure: bool, browser: Option<Uuid>) {
    set(headers, SESSION_COOKIE, &granted.access_token, granted.expires_in, secure);
    set(headers, REFRESH_COOKIE, &granted.refresh_token, REFRESH_S, secure);
    if let Some(browser) = browser {
        set(headers, BROWSER_COOKIE, &browser.simple().to_string(), REFRESH_S, secure);
    }
}

pub(super) fn clear(headers: &mut HeaderMap, secure: bool) {
    for name in [SESSION_COOKIE, REFRESH_COOKIE, BROWSER_COOKIE] {
        set(headers, name, "", 0, secure);
    }
}

/// Sets a cookie that scripts do not see and other sites do not send with forms.
pub(super) fn set(headers: &mut HeaderMap, name: &str, value: &str, seconds: u32, secure: bool) {
    let secure = if secure { "; Secure" } else { "" };
    if let Ok(value) = HeaderValue::from_str(&format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")) {
        headers.append(header::SET_COOKIE, value);
    }
}

/// Whether the browser used HTTPS, according to the proxy in front.
pub(super) fn is_secure(headers: &HeaderMap) -> bool {
    headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https")
}
