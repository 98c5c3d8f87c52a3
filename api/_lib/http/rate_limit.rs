//! Refuses requests beyond a limit, before anything is read or done; other responses say what is left.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use nofx_shared::limits::{LimitState, RateLimitDecision, checks_for, policy_header, state_header};
use nofx_shared::problem::{Kind, Problem};

use super::Refusal;
use super::caller::Identity;
use crate::App;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");

pub(super) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let identity = request.extensions().get::<Identity>().cloned().unwrap_or_default();
    let caller = identity.caller.as_ref().and_then(|caller| caller.as_ref().ok());
    let is_read = request.method().is_safe();
    let who = caller.map(|caller| (caller.tenant, caller.subject.as_str()));
    let checks = checks_for(app.limits().settings(), identity.origin.address, who, is_read);
    match app.limits().take(&checks).await {
        RateLimitDecision::Allowed(state) => {
            let mut response = next.run(request).await;
            if let Some(state) = state {
                add_headers(&mut response, &state);
            }
            response
        }
        RateLimitDecision::Refused(state) => refuse(&state),
    }
}

/// 429, with when to retry.
pub(super) fn refuse(state: &LimitState) -> Response {
    let wait = state.reset.as_secs().max(1);
    let detail = format!(
        "More than {} {} in {} s. Retry in {wait} s.",
        state.policy.limit,
        if state.policy.name == "failed_auth" { "failed authentications" } else { "requests" },
        state.policy.window_s
    );
    let mut response = Refusal(Problem::new(Kind::RateLimited, detail)).into_response();
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
    add_headers(&mut response, state);
    response
}

fn add_headers(response: &mut Response, state: &LimitState) {
    for (name, text) in [(POLICY, policy_header(&state.policy)), (STATE, state_header(state))] {
        if let Ok(value) = HeaderValue::from_str(&text) {
            response.headers_mut().insert(name, value);
        }
    }
}
