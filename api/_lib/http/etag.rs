//! `ETag` over the bytes of the representation, and `If-None-Match`.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use nofx_shared::crypto::sha256;
use serde::Serialize;

/// The value as JSON, or 304 when the client has it already.
pub(crate) fn cached<T: Serialize + ?Sized>(headers: &HeaderMap, value: &T) -> Response {
    match serde_json::to_string(value) {
        Ok(body) => {
            let mut response = tagged(headers, body.into_bytes(), HeaderValue::from_static("application/json"));
            let out = response.headers_mut();
            // The client may store it, but must revalidate each time.
            out.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
            out.insert(header::VARY, HeaderValue::from_static("authorization"));
            response
        }
        Err(error) => {
            tracing::error!(%error, "could not serialise a response as JSON");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A body with its tag, or 304 when the client has it already.
pub(crate) fn tagged(headers: &HeaderMap, body: Vec<u8>, media_type: HeaderValue) -> Response {
    let etag = format!("\"{}\"", &sha256(&body)[..32]);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let same = known.is_some_and(|known| known.split(',').any(|one| one.trim() == "*" || one.trim().trim_start_matches("W/") == etag));
    let mut response = if same { StatusCode::NOT_MODIFIED.into_response() } else { body.into_response() };
    let out = response.headers_mut();
    if !same {
        out.insert(header::CONTENT_TYPE, media_type);
    }
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        out.insert(header::ETAG, etag);
    }
    response
}
