//! Refuses who asks for too much, before anything is read or done; tells everybody else what is left.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use nofx_shared::limits::{Standing, Verdict, checks_for, policy_header, state_header};
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
    let asked = checks_for(app.limits().settings(), identity.origin.address, who, is_read);
    match app.limits().take(&asked).await {
        Verdict::Allowed(standing) => {
            let mut response = next.run(request).await;
            if let Some(standing) = standing {
                tell(&mut response, &standing);
            }
            response
        }
        Verdict::Refused(standing) => refuse(&standing),
    }
}

/// 429, with when to come back.
pub(super) fn refuse(standing: &Standing) -> Response {
    let wait = standing.reset.as_secs().max(1);
    let detail = format!(
        "More than {} {} in {} s. Retry in {wait} s.",
        standing.policy.limit,
        if standing.policy.name == "logins" { "failed authentications" } else { "requests" },
        standing.policy.window_s
    );
    let mut response = Refusal(Problem::new(Kind::RateLimited, detail)).into_response();
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
    tell(&mut response, standing);
    response
}

fn tell(response: &mut Response, standing: &Standing) {
    for (name, text) in [(POLICY, policy_header(&standing.policy)), (STATE, state_header(standing))] {
        if let Ok(value) = HeaderValue::from_str(&text) {
            response.headers_mut().insert(name, value);
        }
    }
}
