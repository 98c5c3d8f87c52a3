//! The first line: this process alone must not let through more than the limit. It costs no call.

use std::num::NonZeroU32;
use std::sync::Mutex;
use std::time::Duration;
use std::{collections::HashMap, sync::Arc};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::Asked;

/// How many keys are kept before those that are at rest are forgotten.
const KEYS: usize = 10_000;

type Limiter = Arc<DefaultKeyedRateLimiter<String>>;

#[derive(Default)]
pub(super) struct Local {
    limiters: Mutex<HashMap<(&'static str, u32), Limiter>>,
}

impl Local {
    /// How long to wait when this process has let through as much as the limit; none when it may pass.
    pub(super) fn refuses(&self, asked: &Asked) -> Option<Duration> {
        let limit = NonZeroU32::new(asked.policy.limit)?;
        let limiter = {
            let mut limiters = self.limiters.lock().expect("nobody panics while holding it");
            let made = || Arc::new(RateLimiter::keyed(Quota::per_minute(limit)));
            Arc::clone(limiters.entry((asked.policy.name, asked.policy.limit)).or_insert_with(made))
        };
        if limiter.len() > KEYS {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
        limiter.check_key(&asked.key).err().map(|until| until.wait_time_from(DefaultClock::default().now()))
    }
}

#[cfg(test)]
mod tests {
    use super::Local;
    use crate::limits::{Asked, Policy};

    #[test]
    fn each_key_may_burst_to_the_limit_and_no_further() {
        let local = Local::default();
        let asked = |key: &str| Asked { policy: Policy { name: "reads", limit: 3, window_s: 60 }, key: key.to_owned() };
        assert!((0..3).all(|_| local.refuses(&asked("a")).is_none()));
        assert!(local.refuses(&asked("a")).is_some_and(|wait| wait.as_secs() <= 20));
        assert!(local.refuses(&asked("b")).is_none(), "somebody else");
    }
}
