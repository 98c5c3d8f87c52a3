//! `RateLimit-Policy` and `RateLimit`: draft-ietf-httpapi-ratelimit-headers-11.

use super::{LimitState, Policy};

/// `"writes";q=1200;w=60`
pub fn policy_header(policy: &Policy) -> String {
    format!("\"{}\";q={};w={}", policy.name, policy.limit, policy.window_s)
}

/// `"writes";r=1100;t=30`
pub fn state_header(state: &LimitState) -> String {
    format!("\"{}\";r={};t={}", state.policy.name, state.remaining, state.reset.as_secs().max(1))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{policy_header, state_header};
    use crate::limits::{LimitState, Policy};

    #[test]
    fn they_have_the_form_of_the_draft() {
        let policy = Policy { name: "burst", limit: 10, window_s: 10 };
        assert_eq!(policy_header(&policy), "\"burst\";q=10;w=10");
        assert_eq!(state_header(&LimitState { policy, remaining: 8, reset: Duration::from_millis(900) }), "\"burst\";r=8;t=1");
    }
}
