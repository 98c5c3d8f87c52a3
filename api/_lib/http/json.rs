//! Typed bodies and queries; what is wrong with them is a problem with a pointer.

use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use nofx_shared::problem::{Fault, Kind, Problem};
use serde::de::DeserializeOwned;

use super::Refusal;

/// Largest body that is taken: a plan of 1 MiB, escaped.
const BODY_BYTES: usize = 3 << 20;

/// A JSON body, with its bytes.
pub(crate) struct Body<T> {
    pub value: T,
    pub bytes: Bytes,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let bytes = read(request.into_body()).await?;
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        let value = serde_json::from_slice(text).map_err(|error| {
            let kind = if error.is_data() { Kind::InvalidPlan } else { Kind::InvalidRequest };
            let place = format!("line {}, column {}", error.line(), error.column());
            Problem::new(kind, format!("The body cannot be read at {place}.")).with_faults(vec![Fault::new("", error.to_string())])
        })?;
        Ok(Self { value, bytes })
    }
}

/// All of a body. Of one that is too large the rest is read and dropped, up to a limit: a client that is still sending when the
/// connection is closed would not see why.
async fn read(body: axum::body::Body) -> Result<Bytes, Refusal> {
    let mut pieces = body.into_data_stream();
    let (mut bytes, mut read) = (BytesMut::new(), 0);
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| Problem::new(Kind::InvalidRequest, "The body was cut off."))?;
        read += piece.len();
        if read <= BODY_BYTES {
            bytes.extend_from_slice(&piece);
        } else if read > BODY_BYTES * 8 {
            break;
        }
    }
    if read > BODY_BYTES {
        return Err(Problem::new(Kind::BodyTooLarge, format!("The body is larger than {} MiB.", BODY_BYTES >> 20)).into());
    }
    Ok(bytes.freeze())
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
