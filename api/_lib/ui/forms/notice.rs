//! The outcome of a form, for the page that is shown next: in a cookie, which that page removes.

use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Redirect, Response};
use percent_encoding::percent_decode_str;

use super::{Form, Refused};
use crate::http::cookie;
use crate::ui::session::{is_secure, set_cookie};
use crate::ui::url::encode;

/// The notice that the next page shows.
const NOTICE_COOKIE: &str = "nofx_notice";

/// Redirects to a page, which shows the outcome as a notice.
pub(in crate::ui) fn back(form: &Form, to: &str, outcome: &Result<String, Refused>) -> Response {
    let (sign, text) = match outcome {
        Ok(text) => ('+', text.clone()),
        Err(refused) => ('-', refused.text()),
    };
    let text: String = text.chars().take(500).collect();
    let mut response = Redirect::to(to).into_response();
    let value = format!("{sign}{}", encode(&text));
    set_cookie(response.headers_mut(), NOTICE_COOKIE, &value, 30, is_secure(&form.parts.headers));
    response
}

/// The notice for this page: whether the call succeeded, and the text.
pub(in crate::ui) fn notice(headers: &HeaderMap) -> Option<(bool, String)> {
    let value = cookie(headers, NOTICE_COOKIE)?;
    let text = percent_decode_str(value.get(1..)?).decode_utf8_lossy().into_owned();
    Some((value.starts_with('+'), text))
}

/// Removes the notice that was shown.
pub(in crate::ui) fn clear_notice() -> HeaderValue {
    HeaderValue::from_static("nofx_notice=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax")
}
