//! Typed bodies and queries; errors in them become problems.

use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::header;
use axum::http::request::Parts;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use nofx_shared::problem::{Fault, Kind, Problem};
use serde::de::DeserializeOwned;

use super::body_limit::BodyLimit;
use super::{Refusal, strict};

/// A JSON body, with its bytes.
pub(crate) struct Body<T> {
    pub value: T,
    pub bytes: Bytes,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let bytes = read(request).await?;
        let value = parse(if bytes.is_empty() { b"{}" } else { &bytes })?;
        Ok(Self { value, bytes })
    }
}

/// The value of a JSON text.
pub(crate) fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, Problem> {
    let unreadable = |error: serde_json::Error, kind| {
        let place = format!("line {}, column {}", error.line(), error.column());
        Problem::new(kind, format!("Invalid JSON at {place}.")).with_faults(vec![Fault::new("", error.to_string())])
    };
    strict::check(text).map_err(|error| unreadable(error, Kind::InvalidRequest))?;
    // It is JSON; a list where a word should be is no error of data to serde_json.
    serde_json::from_slice(text).map_err(|error| unreadable(error, Kind::InvalidPlan))
}

/// The bytes of a body, for signatures.
pub(crate) struct RawBody(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        read(request).await.map(Self)
    }
}

/// Reads a body. The rest of one that is too large is read and dropped, up to a limit: a client that is still sending when the connection
/// is closed would not see the problem.
pub(super) async fn read(request: Request) -> Result<Bytes, Refusal> {
    let encoding = request.headers().get(header::CONTENT_ENCODING).filter(|value| *value != "identity");
    if encoding.is_some() {
        return Err(Problem::new(Kind::UnsupportedEncoding, "Compressed bodies are not supported; remove Content-Encoding.").into());
    }
    let BodyLimit(limit) = request.extensions().get().copied().unwrap_or_default();
    let mut pieces = request.into_body().into_data_stream();
    let (mut bytes, mut read) = (BytesMut::new(), 0);
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| Problem::new(Kind::InvalidRequest, "The request body ended early."))?;
        read += piece.len();
        if read <= limit {
            bytes.extend_from_slice(&piece);
        } else if read > limit * 8 {
            break;
        }
    }
    if read > limit {
        return Err(Problem::new(Kind::BodyTooLarge, format!("The body is larger than {} KiB.", limit >> 10)).into());
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
