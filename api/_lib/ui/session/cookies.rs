//! The cookies of a session. They are read with `http::cookie`.

use axum::http::{HeaderMap, HeaderValue, header};
use uuid::Uuid;

use super::auth::Granted;
use crate::http::SESSION_COOKIE;

pub(super) const REFRESH_COOKIE: &str = "nofx_refresh";
/// Created at each sign-in; the tokens of forms are bound to it.
pub(super) const BROWSER_COOKIE: &str = "nofx_browser";
const REFRESH_S: u32 = 30 * 86_400;

/// Stores a session in the browser; `browser` is the id that a sign-in created.
pub(super) fn store(headers: &mut HeaderMap, granted: &Granted, secure: bool, browser: Option<Uuid>) {
    set_cookie(headers, SESSION_COOKIE, &granted.access_token, granted.expires_in, secure);
    set_cookie(headers, REFRESH_COOKIE, &granted.refresh_token, REFRESH_S, secure);
    if let Some(browser) = browser {
        set_cookie(headers, BROWSER_COOKIE, &browser.simple().to_string(), REFRESH_S, secure);
    }
}

pub(super) fn clear(headers: &mut HeaderMap, secure: bool) {
    for name in [SESSION_COOKIE, REFRESH_COOKIE, BROWSER_COOKIE] {
        set_cookie(headers, name, "", 0, secure);
    }
}

/// Sets a cookie that scripts do not see and other sites do not send with forms.
pub(in crate::ui) fn set_cookie(headers: &mut HeaderMap, name: &str, value: &str, seconds: u32, secure: bool) {
    let secure = if secure { "; Secure" } else { "" };
    if let Ok(value) = HeaderValue::from_str(&format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")) {
        headers.append(header::SET_COOKIE, value);
    }
}

/// Whether the browser used HTTPS, according to the proxy in front.
pub(in crate::ui) fn is_secure(headers: &HeaderMap) -> bool {
    headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https")
}
