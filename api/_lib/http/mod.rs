//! The way in, outside to inside: request id, limits, CORS; then the caller, the body, and what goes out.

mod background;
mod caller;
mod envelope;
mod etag;
mod idempotency;
mod json;
mod page;
mod path;
mod problem;
mod request_id;
mod trace;

use std::time::Duration;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::from_fn;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

use crate::App;
pub use background::Background;
pub(crate) use caller::{Authenticated, Operator};
pub(crate) use envelope::Envelope;
pub(crate) use etag::cached;
pub(crate) use idempotency::{Once, once};
pub(crate) use json::{Body, Params};
pub(crate) use page::{Cursor, Page, Paging};
pub(crate) use path::Path;
pub(crate) use problem::{Refusal, not_found};

/// Everything that a request passes before it meets a route.
pub(crate) fn stack(router: Router, app: &App) -> Router {
    let origins: Vec<HeaderValue> = app.settings().cors_origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::IF_NONE_MATCH, HeaderName::from_static("idempotency-key")])
        .max_age(Duration::from_secs(600));
    let fixed = |name, value| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    router
        .layer(CatchPanicLayer::custom(problem::panicked))
        // Until the response's head; a stream's body may go on.
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_secs(30)))
        .layer(cors)
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(fixed(header::REFERRER_POLICY, "no-referrer"))
        .layer(fixed(header::CACHE_CONTROL, "no-store"))
        .layer(from_fn(trace::record))
        .layer(from_fn(request_id::carry))
}
