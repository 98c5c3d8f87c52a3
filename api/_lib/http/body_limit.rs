//! The size limits of bodies, by route: the one list.

use axum::extract::Request;
use nofx_shared::function_calls::FUNCTION_CALL_BYTES;

/// By the start of the path below `/api`; the first match counts.
const LIMITS: [(&str, usize); 4] = [
    ("/internal/execute", FUNCTION_CALL_BYTES),
    // A plan of 1 MiB, escaped.
    ("/runs", 3 << 20),
    // The same in a form.
    ("/ui/runs", 4 << 20),
    // GitHub sends up to 25 MiB; what is used here is far smaller.
    ("/webhooks", 5 << 20),
];
/// Everything else is a handful of fields.
const OTHERWISE: usize = 64 << 10;

/// The limit of a request, recorded before the router strips the path.
#[derive(Clone, Copy)]
pub(super) struct BodyLimit(pub usize);

impl Default for BodyLimit {
    fn default() -> Self {
        Self(OTHERWISE)
    }
}

/// Records the limit in the request.
pub(crate) fn record(mut request: Request) -> Request {
    // The seeds' bare paths come without /api.
    let path = request.uri().path();
    let path = path.strip_prefix("/api").unwrap_or(path);
    let found = LIMITS.iter().find(|(prefix, _)| path.starts_with(prefix));
    let limit = found.map_or_else(BodyLimit::default, |(_, limit)| BodyLimit(*limit));
    request.extensions_mut().insert(limit);
    request
}
