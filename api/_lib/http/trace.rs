//! A span for each request, part of the trace that the caller sent (`traceparent`).

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use nofx_shared::telemetry::{self, TraceParent};
use tracing::Instrument;

pub(super) async fn record(request: Request, next: Next) -> Response {
    let span = tracing::info_span!(
        "request",
        otel.name = tracing::field::Empty,
        otel.kind = "server",
        http.request.method = %request.method(),
        url.path = request.uri().path(),
        http.route = tracing::field::Empty,
        http.response.status_code = tracing::field::Empty,
    );
    if let Some(route) = request.extensions().get::<MatchedPath>() {
        span.record("http.route", route.as_str());
        span.record("otel.name", format!("{} {}", request.method(), route.as_str()));
    }
    let came = request.headers().get("traceparent").and_then(|value| value.to_str().ok()?.parse::<TraceParent>().ok());
    telemetry::follow(&span, came.as_ref());
    let mut request = request;
    if let Some(trace) = telemetry::current(&span, came.as_ref()) {
        request.extensions_mut().insert(trace);
    }
    let response = next.run(request).instrument(span.clone()).await;
    span.record("http.response.status_code", response.status().as_u16());
    response
}
