//! Rate limits in responses: a refusal says when to retry, other responses what is left. When to check is decided in `rate_limit` and
//! `caller`.

use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use nofx_shared::limits::{LimitState, policy_header, state_header};
use nofx_shared::problem::{Kind, Problem};

use super::Refusal;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");

/// 429, with when to retry.
pub(super) fn refuse(state: &LimitState) -> Response {
    let wait = u32::try_from(state.reset.as_secs()).unwrap_or(u32::MAX).max(1);
    let detail = format!(
        "More than {} {} in {} s. Retry in {wait} s.",
        state.policy.limit,
        if state.policy.name == "failed_auth" { "failed authentications" } else { "requests" },
        state.policy.window_s
    );
    let mut response = Refusal(Problem { retry_after_s: Some(wait), ..Problem::new(Kind::RateLimited, detail) }).into_response();
    add_headers(&mut response, state);
    response
}

/// The limit, and what is left of it.
pub(super) fn add_headers(response: &mut Response, state: &LimitState) {
    for (name, text) in [(POLICY, policy_header(&state.policy)), (STATE, state_header(state))] {
        if let Ok(value) = HeaderValue::from_str(&text) {
            response.headers_mut().insert(name, value);
        }
    }
}
