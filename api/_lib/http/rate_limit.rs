//! Refuses requests beyond a limit, before anything is read or done; other responses show what is left.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use nofx_shared::limits::{RateLimitDecision, checks_for};

use super::caller::Identity;
use super::limit_response::{add_headers, refuse};
use crate::App;

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
