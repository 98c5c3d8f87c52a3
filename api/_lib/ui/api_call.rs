//! Calls of the API's own routes for forms, with the identity of whoever sent the form: so hooks, body limits, idempotency and refusals are
//! those of the API.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderValue, Method, Request, header};
use axum::response::{IntoResponse, Redirect, Response};
use nofx_shared::telemetry::TraceParent;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value;
use tower::ServiceExt;

use super::Ui;
use super::form::Form;
use super::session::{is_secure, set};
use super::url::encode;
use crate::Background;
use crate::http::{Identity, cookie, record_limit};

/// Responses of the API are read up to this size.
const RESPONSE_BYTES: usize = 8 << 20;
/// The notice that the next page shows.
const NOTICE_COOKIE: &str = "nofx_notice";

/// A problem that the API responded with.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Refused {
    pub title: String,
    pub detail: String,
    pub errors: Vec<Fault>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fault {
    pub pointer: String,
    pub detail: String,
}

impl Refused {
    /// In one line.
    pub(super) fn text(&self) -> String {
        let first = self.errors.first().map(|fault| format!(" {}: {}", fault.pointer, fault.detail)).unwrap_or_default();
        format!("{}. {}{first}", self.title, self.detail)
    }
}

impl Ui {
    /// Posts to a path of the API (without `/api`). A form with an id of its own (`once`) has effect once, however often it is sent.
    pub(super) async fn post(&self, form: &Form, path: &str, body: &Value) -> Result<Value, Refused> {
        let mut request = Request::builder().method(Method::POST).uri(path).header(header::CONTENT_TYPE, "application/json");
        if let Some(once) = form.fields.text("once") {
            request = request.header("idempotency-key", once);
        }
        let unreadable = |_| Refused { title: "The request could not be sent".to_owned(), ..Refused::default() };
        let mut request = record_limit(request.body(Body::from(body.to_string())).map_err(unreadable)?);
        // The caller, the trace and the background; not what the router of pages recorded for itself.
        let (from, to) = (&form.parts.extensions, request.extensions_mut());
        from.get::<Identity>().map(|identity| to.insert(identity.clone()));
        from.get::<TraceParent>().map(|trace| to.insert(trace.clone()));
        from.get::<Background>().map(|background| to.insert(background.clone()));
        let answer = self.api.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
        let status = answer.status();
        let bytes = to_bytes(answer.into_body(), RESPONSE_BYTES).await.unwrap_or_default();
        if status.is_success() {
            return Ok(serde_json::from_slice(&bytes).unwrap_or_default());
        }
        Err(serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Refused { title: format!("The API responded with {status}"), ..Refused::default() }))
    }
}

/// Redirects to a page, which shows the outcome as a notice.
pub(super) fn back(form: &Form, to: &str, outcome: &Result<String, Refused>) -> Response {
    let (sign, text) = match outcome {
        Ok(text) => ('+', text.clone()),
        Err(refused) => ('-', refused.text()),
    };
    let text: String = text.chars().take(500).collect();
    let mut response = Redirect::to(to).into_response();
    let value = format!("{sign}{}", encode(&text));
    set(response.headers_mut(), NOTICE_COOKIE, &value, 30, is_secure(&form.parts.headers));
    response
}

/// The notice for this page: whether the call succeeded, and the text.
pub(super) fn notice(headers: &HeaderMap) -> Option<(bool, String)> {
    let value = cookie(headers, NOTICE_COOKIE)?;
    let text = percent_decode_str(value.get(1..)?).decode_utf8_lossy().into_owned();
    Some((value.starts_with('+'), text))
}

/// Removes the notice that was shown.
pub(super) fn clear_notice() -> HeaderValue {
    HeaderValue::from_static("nofx_notice=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax")
}
