//! The platform's front: routes, adds its headers, streams both ways.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use nofx_shared::crypto::sha256;
use tokio::net::TcpListener;

use super::function::Function;
use super::routes::Routes;

pub(super) struct Gateway {
    routes: Routes,
    functions: BTreeMap<String, Function>,
    /// The published files.
    files: PathBuf,
    client: reqwest::Client,
}

impl Gateway {
    pub(super) fn new(routes: Routes, functions: BTreeMap<String, Function>, files: PathBuf) -> Self {
        Self { routes, functions, files, client: nofx_shared::net::client() }
    }

    pub(super) fn functions(&self) -> impl Iterator<Item = (&String, &Function)> {
        self.functions.iter()
    }

    /// A published file.
    fn file(&self, path: &str, headers: &HeaderMap) -> Option<Response> {
        let path = Path::new(path.trim_start_matches('/'));
        let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
        let bytes = std::fs::read(self.files.join(path)).ok().filter(|_| is_plain)?;
        let kind = match path.extension().and_then(|end| end.to_str()) {
            Some("css") => "text/css",
            Some("js") => "text/javascript",
            Some("svg") => "image/svg+xml",
            _ => "application/octet-stream",
        };
        let tag = format!("\"{}\"", &sha256(&bytes)[..32]);
        let common = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, "public, max-age=0, must-revalidate".to_owned())];
        if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
            return Some((StatusCode::NOT_MODIFIED, common).into_response());
        }
        Some((common, [(header::CONTENT_TYPE, kind)], bytes).into_response())
    }

    pub(super) fn function(&self, path: &str) -> &Function {
        &self.functions[path]
    }
}

/// Signals that a response's body has ended, or that its client disconnected.
struct Answering {
    gateway: Arc<Gateway>,
    function: String,
    id: u64,
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.gateway.function(&self.function).answered(self.id);
    }
}

pub(super) async fn serve(gateway: Arc<Gateway>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = Router::new().fallback(pass).with_state(gateway);
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

async fn pass(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let routed = gateway.routes.route(&path, |path| gateway.functions.contains_key(path));
    if let Some(answer) = gateway.file(&path, &parts.headers) {
        return (routed.headers, answer).into_response();
    }
    let Some(target) = routed.path else {
        return (StatusCode::from_u16(routed.status).expect("a status"), routed.headers, "NOT_FOUND").into_response();
    };
    let function = gateway.function(&target);
    let id = function.begin(&path);
    let answering = Answering { gateway: Arc::clone(&gateway), function: target.clone(), id };
    let query = [parts.uri.query().map(str::to_owned), routed.query].into_iter().flatten().collect::<Vec<_>>().join("&");
    let url = format!("http://127.0.0.1:{}{path}{}{query}", function.port, if query.is_empty() { "" } else { "?" });
    let mut number = |name: &'static str, value: &str| parts.headers.insert(name, HeaderValue::from_str(value).expect("plain"));
    number("x-vercel-internal-invocation-id", &format!("inv_{id}"));
    number("x-vercel-internal-request-id", &id.to_string());
    number("x-vercel-id", &format!("local1::test-{id}"));
    let sent = gateway
        .client
        .request(parts.method, url)
        .headers(end_to_end(parts.headers))
        .body(reqwest::Body::wrap_stream(body.into_data_stream()))
        .send()
        .await;
    match sent {
        Ok(answer) => {
            let (status, mut headers) = (answer.status(), end_to_end(answer.headers().clone()));
            for (name, value) in &routed.headers {
                headers.insert(name, value.clone());
            }
            let stream = answer.bytes_stream().map(move |chunk| {
                let _lasts = &answering;
                chunk
            });
            (status, headers, Body::from_stream(stream)).into_response()
        }
        Err(error) => (StatusCode::BAD_GATEWAY, format!("FUNCTION_INVOCATION_FAILED {error}")).into_response(),
    }
}

/// Headers of one hop stay on that hop (RFC 9110, section 7.6.1).
fn end_to_end(mut headers: HeaderMap) -> HeaderMap {
    for name in [header::HOST, header::CONNECTION, header::TRANSFER_ENCODING, header::TE, header::TRAILER, header::UPGRADE] {
        headers.remove(name);
    }
    headers
}
