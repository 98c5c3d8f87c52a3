//! Typed bodies and queries; what is wrong with them is a problem with a pointer.

use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use bytes::Bytes;
use nofx_shared::problem::{Fault, Kind, Problem};
use serde::de::DeserializeOwned;

use super::Refusal;

/// A JSON body, with its bytes.
pub(crate) struct Body<T> {
    pub value: T,
    pub bytes: Bytes,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|_| Problem::new(Kind::BodyTooLarge, "The body is larger than 3 MiB, or was cut off."))?;
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        let value = serde_json::from_slice(text).map_err(|error| {
            let kind = if error.is_data() { Kind::InvalidPlan } else { Kind::InvalidRequest };
            let place = format!("line {}, column {}", error.line(), error.column());
            Problem::new(kind, format!("The body cannot be read at {place}.")).with_faults(vec![Fault::new("", error.to_string())])
        })?;
        Ok(Self { value, bytes })
    }
}

/// Query parameters. Unknown ones are ignored: the host appends its own.
pub(crate) struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let Query(value) = Query::try_from_uri(&parts.uri).map_err(|error| Problem::new(Kind::InvalidRequest, error.to_string()))?;
        Ok(Self(value))
    }
}
