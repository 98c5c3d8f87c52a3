//! Calls of the API's own routes for forms, with the identity of whoever sent the form: so hooks, body limits, idempotency and refusals are
//! those of the API.

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, header};
use nofx_shared::telemetry::TraceParent;
use serde::Deserialize;
use serde_json::Value;
use tower::ServiceExt;

use super::Form;
use crate::Background;
use crate::http::{Identity, record_limit};
use crate::ui::Ui;

/// Responses of the API are read up to this size.
const RESPONSE_BYTES: usize = 8 << 20;

/// A problem that the API responded with.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::ui) struct Refused {
    pub title: String,
    pub detail: String,
    pub errors: Vec<Fault>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::ui) struct Fault {
    pub pointer: String,
    pub detail: String,
}

impl Refused {
    /// In one line.
    pub(in crate::ui) fn text(&self) -> String {
        let first = self.errors.first().map(|fault| format!(" {}: {}", fault.pointer, fault.detail)).unwrap_or_default();
        format!("{}. {}{first}", self.title, self.detail)
    }
}

impl Ui {
    /// Posts to a path of the API (without `/api`). A form with an id of its own (`once`) has effect once, however often it is sent.
    pub(in crate::ui) async fn post(&self, form: &Form, path: &str, body: &Value) -> Result<Value, Refused> {
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
