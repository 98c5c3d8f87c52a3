//! `X-Request-Id`, in and out; problems carry it too.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::problem::ProblemDetails;

/// The id of the request, for logs and the audit log.
#[derive(Clone)]
pub(super) struct RequestId(pub String);

pub(super) async fn carry(mut request: Request, next: Next) -> Response {
    let id = choose(request.headers());
    request.extensions_mut().insert(RequestId(id.clone()));
    let instance = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    if response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/problem+json") {
        response = complete(response, &instance, &id).await;
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

/// The client's id if it is plain, the host's, or a new one.
fn choose(headers: &HeaderMap) -> String {
    let is_plain = |text: &&str| text.len() <= 100 && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_:.".contains(c));
    let given = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).filter(is_plain);
    given("x-request-id").or_else(|| given("x-vercel-id")).map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

/// Adds the path and the request id to a problem.
async fn complete(response: Response, instance: &str, id: &str) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, 1 << 20).await.unwrap_or_default();
    let Ok(problem) = serde_json::from_slice::<ProblemDetails>(&bytes) else { return Response::from_parts(parts, Body::from(bytes)) };
    let problem = ProblemDetails { instance: instance.to_owned(), request_id: id.to_owned(), ..problem };
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, axum::Json(problem).into_response().into_body())
}
