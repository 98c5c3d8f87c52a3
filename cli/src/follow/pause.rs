//! How long to wait before the next connection.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// The first wait, until the server names another one by `retry:`.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// However little the server names: a server that ends each stream at once is not flooded.
const MIN_WAIT: Duration = Duration::from_millis(100);
/// The longest wait that this side chooses.
const MAX_WAIT: Duration = Duration::from_secs(30);
/// The longest wait that the server may ask for, by `retry:` or `Retry-After`.
const MAX_SERVER_WAIT: Duration = Duration::from_secs(600);

/// Twice as long after each connection that brought nothing, and a random part of up to as much on top, so that clients do not return all at
/// once.
pub(super) struct Pause {
    first: Duration,
    backoff: ExponentialBackoff,
}

impl Pause {
    pub(super) fn new() -> Self {
        Self { first: FIRST_WAIT, backoff: starting_with(FIRST_WAIT) }
    }

    /// Something arrived: the next wait is the first again, which `retry` sets, in milliseconds.
    pub(super) fn reset(&mut self, retry: Option<u64>) {
        if let Some(ms) = retry {
            self.first = Duration::from_millis(ms).clamp(MIN_WAIT, MAX_SERVER_WAIT);
        }
        self.backoff = starting_with(self.first);
    }

    /// The next wait, at least as long as `Retry-After` asks for.
    pub(super) fn next(&mut self, asked: Option<Duration>) -> Duration {
        let wait = self.backoff.next().unwrap_or(MAX_WAIT);
        wait.max(asked.unwrap_or_default().min(MAX_SERVER_WAIT))
    }
}

fn starting_with(first: Duration) -> ExponentialBackoff {
    ExponentialBuilder::new().with_min_delay(first).with_max_delay(MAX_WAIT.max(first)).with_jitter().without_max_times().build()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{MAX_SERVER_WAIT, MAX_WAIT, MIN_WAIT, Pause};

    #[test]
    fn a_wait_doubles_until_something_arrives_and_is_never_the_same_for_all() {
        let mut pause = Pause::new();
        pause.reset(Some(500));
        for n in [1, 2, 4, 8] {
            let (wait, least) = (pause.next(None), Duration::from_millis(500) * n);
            assert!(least <= wait && wait <= least * 2, "{wait:?}");
        }
        for _ in 0..100 {
            assert!(pause.next(None) <= MAX_WAIT * 2);
        }
        pause.reset(None);
        assert!(pause.next(None) <= Duration::from_secs(1), "the server's `retry` is kept");
        let first = || {
            let mut pause = Pause::new();
            pause.next(None)
        };
        let waits: Vec<Duration> = (0..20).map(|_| first()).collect();
        assert!(waits.iter().any(|wait| *wait != waits[0]), "{waits:?}");
    }

    #[test]
    fn a_server_may_ask_for_a_longer_wait_but_for_none_and_for_no_endless_one() {
        let mut pause = Pause::new();
        assert!(pause.next(Some(Duration::from_secs(90))) >= Duration::from_secs(90));
        assert_eq!(pause.next(Some(Duration::MAX)), MAX_SERVER_WAIT);
        pause.reset(Some(0));
        assert!(pause.next(None) >= MIN_WAIT && pause.next(None) >= MIN_WAIT * 2);
        pause.reset(Some(u64::MAX));
        assert!(pause.next(None) >= MAX_SERVER_WAIT && pause.next(None) <= MAX_SERVER_WAIT * 2);
    }
}
