//! Results whose settle the database refused, or could not carry out in time, as a whole. A settle is one transaction and its error does not
//! say which outcome is at fault: so its results are cut into parts, each of which is settled apart, until the one at fault stands alone
//! and fails by itself. Few are in flight, besides the settles of other results, which do not wait for them.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::step_result::StepResult;

/// Parts that a batch is cut into.
const PARTS: usize = 8;
/// Settles of suspects in flight: while one takes as long as it may, the other parts go by.
const MAX_IN_FLIGHT: usize = 2;
/// Wait before it is tried again.
const BACKOFF: Duration = Duration::from_millis(500);

/// What is known of the results of a settle.
#[derive(Clone, Copy)]
pub(super) struct Tried {
    /// How often they were sent, and nothing beside them.
    pub times: u32,
    /// When they came under suspicion.
    pub since: Instant,
}

pub(super) struct Suspect {
    pub results: Vec<StepResult>,
    pub tried: Tried,
    not_before: Option<Instant>,
}

#[derive(Default)]
pub(super) struct Suspects {
    waiting: VecDeque<Suspect>,
    in_flight: usize,
}

impl Suspects {
    pub(super) fn waiting(&self) -> usize {
        self.waiting.iter().map(|one| one.results.len()).sum()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// When one is due that has to wait.
    pub(super) fn next_at(&self) -> Option<Instant> {
        if self.in_flight >= MAX_IN_FLIGHT {
            return None;
        }
        self.waiting.iter().filter_map(|one| one.not_before).min()
    }

    /// Takes the results of a settle that failed as a whole. Returns the one that is at fault, if it is found. `most`: how often one that
    /// stands alone is tried.
    pub(super) fn add(&mut self, mut results: Vec<StepResult>, tried: Tried, most: u32) -> Option<StepResult> {
        if results.len() > 1 {
            let size = results.len().div_ceil(PARTS);
            while !results.is_empty() {
                let rest = results.split_off(size.min(results.len()));
                self.waiting.push_back(Suspect { results, tried: Tried { times: 0, ..tried }, not_before: None });
                results = rest;
            }
            return None;
        }
        if tried.times + 1 < most && !results.is_empty() {
            let tried = Tried { times: tried.times + 1, ..tried };
            self.waiting.push_back(Suspect { results, tried, not_before: Some(Instant::now() + BACKOFF) });
            return None;
        }
        results.pop()
    }

    /// The results to send next, which are in flight then.
    pub(super) fn next(&mut self) -> Option<Suspect> {
        if self.in_flight >= MAX_IN_FLIGHT {
            return None;
        }
        let now = Instant::now();
        let at = self.waiting.iter().position(|one| one.not_before.is_none_or(|at| at <= now))?;
        self.in_flight += 1;
        self.waiting.remove(at)
    }

    /// They are no longer in flight, however it ended.
    pub(super) fn ended(&mut self) {
        self.in_flight -= 1;
    }
}

#[cfg(test)]
mod tests {
    use nofx_shared::engine::Outcome;
    use serde_json::json;
    use uuid::Uuid;

    use tokio::time::Instant;

    use super::{StepResult, Suspects, Tried};
    use crate::drivers::Sandboxed;

    fn results(steps: u128) -> Vec<StepResult> {
        let result = |step| StepResult {
            tenant: Uuid::nil(),
            run: Uuid::nil(),
            step: Uuid::from_u128(step),
            token: Uuid::nil(),
            outcome: Outcome::Done { outputs: json!({}) },
            breaker_target: None,
            inputs: None,
            sandboxed: Sandboxed::default(),
            left: None,
        };
        (0..steps).map(result).collect()
    }

    fn new() -> Tried {
        Tried { times: 0, since: Instant::now() }
    }

    #[tokio::test]
    async fn a_batch_is_cut_until_the_one_at_fault_stands_alone() {
        let (mut suspects, mut calls) = (Suspects::default(), 0);
        assert!(suspects.add(results(256), new(), 1).is_none());
        let at_fault = loop {
            let suspect = suspects.next().expect("one waits");
            calls += 1;
            suspects.ended();
            if suspect.results.iter().all(|one| one.step != Uuid::from_u128(77)) {
                continue;
            }
            if let Some(found) = suspects.add(suspect.results, suspect.tried, 1) {
                break found;
            }
        };
        assert_eq!((at_fault.step, at_fault.step.as_u128()), (Uuid::from_u128(77), 77));
        assert!(calls <= 8 + 8 + 4, "{calls} calls");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_was_too_slow_is_tried_again_a_few_times() {
        let mut suspects = Suspects::default();
        assert!(suspects.add(results(1), new(), 3).is_none());
        for times in 1..3 {
            assert!(suspects.next().is_none(), "not at once");
            tokio::time::sleep_until(suspects.next_at().expect("later")).await;
            let suspect = suspects.next().expect("now");
            assert_eq!((suspect.tried.times, suspects.in_flight(), suspects.waiting()), (times, 1, 0));
            suspects.ended();
            assert_eq!(suspects.add(suspect.results, suspect.tried, 3).is_some(), times == 2);
        }
    }

    #[test]
    fn few_are_in_flight() {
        let mut suspects = Suspects::default();
        suspects.add(results(20), new(), 1);
        assert_eq!(suspects.waiting(), 20);
        assert!(suspects.next().is_some() && suspects.next().is_some() && suspects.next().is_none());
        suspects.ended();
        assert!(suspects.next().is_some());
    }
}
