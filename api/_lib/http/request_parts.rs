//! A request without its inputs: what a route passes on to others that work for it.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use nofx_shared::telemetry::TraceParent;

use crate::Background;

pub(crate) struct RequestParts {
    pub background: Background,
    /// The trace of the request, to pass on.
    pub trace: Option<TraceParent>,
}

impl<S: Sync> FromRequestParts<S> for RequestParts {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let background = Background::from_request_parts(parts, state).await?;
        Ok(Self { background, trace: parts.extensions.get().cloned() })
    }
}
