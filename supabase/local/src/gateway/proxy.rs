//! `/rest/v1` → PostgREST: bodies stream both ways, the prefix is taken off.
#![expect(clippy::disallowed_methods, reason = "the gateway calls PostgREST on loopback only")]

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Where PostgREST is.
pub(crate) struct Upstream {
    url: String,
    client: reqwest::Client,
}

impl Upstream {
    pub(crate) fn new(url: String) -> Self {
        Self { url, client: reqwest::Client::new() }
    }
}

pub(super) async fn rest(State(upstream): State<Arc<Upstream>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let url = format!("{}{}", upstream.url, path.strip_prefix("/rest/v1").unwrap_or(path));
    let sent = upstream
        .client
        .request(parts.method, url)
        .headers(forwarded(parts.headers))
        .body(reqwest::Body::wrap_stream(body.into_data_stream()))
        .send()
        .await;
    match sent {
        Ok(answer) => {
            let (status, headers) = (answer.status(), forwarded(answer.headers().clone()));
            (status, headers, Body::from_stream(answer.bytes_stream())).into_response()
        }
        Err(error) => {
            tracing::warn!(%error, "PostgREST is not responding");
            (StatusCode::BAD_GATEWAY, Json(json!({"message": "An invalid response was received from the upstream server"}))).into_response()
        }
    }
}

/// Headers of one hop stay on that hop (RFC 9110, section 7.6.1).
fn forwarded(mut headers: HeaderMap) -> HeaderMap {
    for name in [header::HOST, header::CONNECTION, header::TRANSFER_ENCODING, header::TE, header::TRAILER, header::UPGRADE] {
        headers.remove(name);
    }
    headers
}
