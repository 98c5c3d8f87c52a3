//! How large a body may be, by route: the one list.

use axum::extract::Request;
use axum::http::Method;

/// First match counts.
const LIMITS: [(&str, usize); 2] = [
    // A plan of 1 MiB, escaped.
    ("/api/runs", 3 << 20),
    // GitHub sends up to 25 MiB; what is of use here is far smaller.
    ("/api/webhooks", 5 << 20),
];
/// Everything else is a handful of fields.
const OTHERWISE: usize = 64 << 10;

/// Most bytes of the request's body.
pub(crate) fn limit_of(method: &Method, path: &str) -> usize {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return OTHERWISE;
    }
    // The seeds' bare paths come without /api.
    let path = path.strip_prefix("/api").unwrap_or(path);
    let found = LIMITS.iter().find(|(prefix, _)| path.starts_with(prefix.trim_start_matches("/api")));
    found.map_or(OTHERWISE, |(_, limit)| *limit)
}

/// The limit of a request, which outer layers noted before the router took the path apart.
#[derive(Clone, Copy)]
pub(crate) struct BodyLimit(pub usize);

/// Notes the limit for whoever reads the body.
pub(super) fn note(mut request: Request) -> Request {
    let limit = limit_of(request.method(), request.uri().path());
    request.extensions_mut().insert(BodyLimit(limit));
    request
}
