//! A request without its body, for routes that need more of it than their own inputs.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri};
use nofx_shared::telemetry::TraceParent;

use crate::Background;

pub(crate) struct RequestParts {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub background: Background,
    /// The trace of the request, to pass on.
    pub trace: Option<TraceParent>,
}

impl<S: Sync> FromRequestParts<S> for RequestParts {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let background = Background::from_request_parts(parts, state).await?;
        let trace = parts.extensions.get().cloned();
        Ok(Self { method: parts.method.clone(), uri: parts.uri.clone(), headers: parts.headers.clone(), background, trace })
    }
}
