//! The layers around all routes, from outside to inside: request id, trace, headers, CORS, time-out, body limit, caller, rate limits. The
//! hooks of requests are not among them: see `hooks`.

use std::time::Duration;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{from_fn, from_fn_with_state, map_request};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;

use super::{body_limit, caller, problem, rate_limit, request_id, timeout, trace};
use crate::App;

/// The layers that a request passes before it reaches a route.
pub(crate) fn layers(router: Router, app: &App) -> Router {
    let origins: Vec<HeaderValue> = app.settings().cors_origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_NONE_MATCH,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("last-event-id"),
        ])
        .expose_headers(["ratelimit", "ratelimit-policy", "retry-after", "x-request-id", "etag", "link"].map(HeaderName::from_static))
        .max_age(Duration::from_secs(600));
    let fixed = |name, value| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    router
        .layer(from_fn_with_state(app.clone(), rate_limit::guard))
        .layer(from_fn_with_state(app.clone(), caller::identify))
        .layer(map_request(async |request| body_limit::record(request)))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(from_fn(timeout::limit))
        .layer(cors)
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(fixed(header::REFERRER_POLICY, "no-referrer"))
        .layer(fixed(header::X_FRAME_OPTIONS, "DENY"))
        .layer(fixed(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"))
        .layer(fixed(header::CACHE_CONTROL, "no-store"))
        .layer(from_fn(trace::record))
        .layer(from_fn(request_id::carry))
}
