//! Limits in this process alone: cheap, and enough to refuse whoever exceeds a limit here.

use std::num::NonZeroU32;
use std::sync::Mutex;
use std::time::Duration;
use std::{collections::HashMap, sync::Arc};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::LimitCheck;

/// Number of keys above which idle ones are dropped.
const KEYS: usize = 10_000;

type Limiter = Arc<DefaultKeyedRateLimiter<String>>;

#[derive(Default)]
pub(super) struct Local {
    limiters: Mutex<HashMap<(&'static str, u32), Limiter>>,
}

impl Local {
    /// How long to wait when this process has allowed as much as the limit; none when the request may pass.
    pub(super) fn wait(&self, check: &LimitCheck) -> Option<Duration> {
        let limit = NonZeroU32::new(check.policy.limit)?;
        let limiter = {
            let mut limiters = self.limiters.lock().expect("nobody panics while holding it");
            let new = || Arc::new(RateLimiter::keyed(Quota::per_minute(limit)));
            Arc::clone(limiters.entry((check.policy.name, check.policy.limit)).or_insert_with(new))
        };
        if limiter.len() > KEYS {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
        limiter.check_key(&check.key).err().map(|until| until.wait_time_from(DefaultClock::default().now()))
    }
}

#[cfg(test)]
mod tests {
    use super::Local;
    use crate::limits::{LimitCheck, Policy};

    #[test]
    fn each_key_may_burst_to_the_limit_and_no_further() {
        let local = Local::default();
        let check = |key: &str| LimitCheck { policy: Policy { name: "reads", limit: 3, window_s: 60 }, key: key.to_owned() };
        assert!((0..3).all(|_| local.wait(&check("a")).is_none()));
        assert!(local.wait(&check("a")).is_some_and(|wait| wait.as_secs() <= 20));
        assert!(local.wait(&check("b")).is_none(), "someone else");
    }
}
