//! `Idempotency-Key`: the same request again gets the same response, for 24 hours, whatever the route is. A repeated request reaches neither
//! the hooks of requests nor its route. A refusal did nothing and is not kept: the request may be sent again under its key.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use nofx_shared::auth::{Caller, fingerprint};
use nofx_shared::db::Db;
use nofx_shared::problem::{Kind, Problem};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::caller::Identity;
use super::request_key::RequestKey;
use super::{Refusal, json as body};
use crate::App;

const HEADER: &str = "idempotency-key";
/// Responses are kept up to this size; what a route that changes something answers is far smaller.
const RESPONSE_BYTES: usize = 8 << 20;
/// Routes whose response has a secret that is shown once and not kept: under a key it would rest for a day, and come back.
const SHOW_SECRETS: [&str; 2] = ["/hooks", "/keys"];
/// Routes that others than callers of a tenant use. Each knows its sender's messages by other means.
const WITHOUT_CALLER: [&str; 3] = ["/cron", "/internal", "/webhooks"];

/// Routes that honour `Idempotency-Key`, or refuse it.
pub(crate) fn with_idempotency(routes: Router<App>, app: &App) -> Router<App> {
    routes.layer(from_fn_with_state(app.clone(), guard))
}

async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    if request.method().is_safe() || !request.headers().contains_key(HEADER) {
        return next.run(request).await;
    }
    once(&app, request, next).await.unwrap_or_else(IntoResponse::into_response)
}

async fn once(app: &App, request: Request, next: Next) -> Result<Response, Refusal> {
    let key = key(request.headers())?.to_owned();
    check_route(request.method(), request.uri().path())?;
    let identity = request.extensions().get::<Identity>();
    // Without a caller the route refuses it.
    let Some(caller) = identity.and_then(|identity| identity.caller.clone()?.ok()) else { return Ok(next.run(request).await) };
    let (parts, rest) = request.into_parts();
    let bytes = body::read(Request::from_parts(parts.clone(), rest)).await?;
    let mut request = Request::from_parts(parts, Body::from(bytes.clone()));
    let kept = Kept { db: app.db(&caller), route: route(&request), key };
    let started = kept.begin(&caller, &bytes).await?;
    if started.state == "replay" {
        return Ok(replay(started));
    }
    request.extensions_mut().insert(RequestKey::new(started.resource_id));
    kept.finish(next.run(request).await).await
}

/// The key that the client chose.
fn key(headers: &HeaderMap) -> Result<&str, Refusal> {
    let key = headers.get(HEADER).and_then(|key| key.to_str().ok()).map(|key| key.trim_matches('"'));
    let key = key.filter(|key| (1..=255).contains(&key.len()));
    Ok(key.ok_or_else(|| Problem::new(Kind::InvalidRequest, "Idempotency-Key must be 1 to 255 visible characters"))?)
}

/// Refuses a key where it cannot be honoured.
fn check_route(method: &Method, path: &str) -> Result<(), Refusal> {
    let is_below = |prefix: &&str| path.strip_prefix(*prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let why = if *method == Method::POST && SHOW_SECRETS.contains(&path) {
        "The response has a secret that is shown once and not kept."
    } else if WITHOUT_CALLER.iter().any(is_below) {
        "The route has no caller whose key it could be."
    } else {
        return Ok(());
    };
    Err(Problem::new(Kind::InvalidRequest, format!("{why} Send the request without Idempotency-Key.")).into())
}

/// Whether a route honours a key.
#[cfg(test)]
pub(crate) fn may_be_repeated(method: &str, path: &str) -> bool {
    method.to_ascii_uppercase().parse().is_ok_and(|method| check_route(&method, path).is_ok())
}

/// What a key is for: method and path, and a digest of the query, which may be longer than what is kept.
fn route(request: &Request) -> String {
    let path = request.uri().path();
    let query = request.uri().query().map(|query| format!("?{}", fingerprint(query))).unwrap_or_default();
    format!("{} {path}{query}", request.method())
}

fn replay(started: Started) -> Response {
    let status = started.status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::OK);
    let mut response = match started.body {
        None | Some(Value::Null) => status.into_response(),
        Some(body) => (status, axum::Json(body)).into_response(),
    };
    response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    response
}

#[derive(Deserialize)]
struct Started {
    state: String,
    resource_id: Uuid,
    status: Option<u16>,
    body: Option<Value>,
}

/// The row of a key.
struct Kept {
    db: Db,
    route: String,
    key: String,
}

impl Kept {
    async fn begin(&self, caller: &Caller, body: &[u8]) -> Result<Started, Refusal> {
        // A key is its caller's: another one of the tenant gets no response to what it did not send.
        let hash = fingerprint(&format!("{}\n{}", caller.subject, String::from_utf8_lossy(body)));
        Ok(self.db.call("begin_request", &json!({"p_route": self.route, "p_key": self.key, "p_hash": hash})).await?)
    }

    /// Stores the response of a success; a refusal releases the key.
    async fn finish(&self, response: Response) -> Result<Response, Refusal> {
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, RESPONSE_BYTES).await;
        let bytes = bytes.map_err(|_| Problem::new(Kind::Internal, "The response is too large to be kept under an Idempotency-Key."))?;
        let status = if parts.status.is_success() { parts.status } else { StatusCode::INTERNAL_SERVER_ERROR };
        let body: Value = if parts.status.is_success() { serde_json::from_slice(&bytes).unwrap_or_default() } else { Value::Null };
        let arguments = json!({"p_route": self.route, "p_key": self.key, "p_status": status.as_u16(), "p_body": body});
        self.db.call::<_, ()>("finish_request", &arguments).await?;
        Ok(Response::from_parts(parts, Body::from(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::extract::Request;
    use axum::http::Method;

    use super::{check_route, route};

    #[test]
    fn a_key_is_refused_where_it_cannot_be_honoured() {
        let refused =
            [("POST", "/hooks"), ("POST", "/keys"), ("POST", "/webhooks/github"), ("POST", "/internal/execute"), ("POST", "/cron/x")];
        for (method, path) in refused {
            assert!(check_route(&method.parse().expect("a method"), path).is_err(), "{path}");
        }
        for path in ["/runs", "/hooks/sources", "/keys/1", "/hooksters", "/retention/holds"] {
            assert!(check_route(&Method::POST, path).is_ok(), "{path}");
        }
        assert!(check_route(&Method::DELETE, "/hooks").is_ok());
    }

    #[test]
    fn a_preview_has_another_key_than_the_request() {
        let of = |uri: &str| route(&Request::post(uri).body(Body::empty()).expect("a request"));
        assert_eq!(of("/runs"), "POST /runs");
        assert!(of("/runs?dry_run=true").starts_with("POST /runs?") && of("/runs?a=1") != of("/runs?a=2"));
        assert!(of(&format!("/runs?{}", "a".repeat(5000))).len() < 200);
    }
}
