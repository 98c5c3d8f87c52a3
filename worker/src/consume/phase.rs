//! The phase of the consume loop between its start and its end. Decides nothing else: the loop implements what each phase does.
//!
//! | phase | may claim | ends when | next |
//! | --- | --- | --- | --- |
//! | `Consuming` | yes | the worker gets the signal to stop | `Draining` |
//! | `Draining` | no | nothing is held, or its time is over | `Stopped`, or `Interrupting` |
//! | `Interrupting` | no | nothing is held | `Stopped` |

use tokio::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Steps are claimed and run.
    Consuming,
    /// The worker shuts down: running steps may end until then.
    Draining { until: Instant },
    /// Running steps were stopped because the worker shuts down: they are interrupted, and another worker runs them again.
    Interrupting,
    /// The loop ends.
    Stopped,
}

/// What may change the phase.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cause {
    /// The worker gets the signal to stop; running steps may end until then.
    Stop { until: Instant },
    /// This time has come.
    Time(Instant),
    /// No lease, no result and no settle in flight is left.
    NothingHeld,
}

impl Phase {
    pub(super) fn may_claim(self) -> bool {
        self == Self::Consuming
    }

    /// When time changes the phase.
    pub(super) fn deadline(self) -> Option<Instant> {
        match self {
            Self::Draining { until } => Some(until),
            Self::Consuming | Self::Interrupting | Self::Stopped => None,
        }
    }

    /// The phase after this cause; most causes change nothing.
    pub(super) fn next(self, cause: Cause) -> Self {
        match (self, cause) {
            (Self::Consuming, Cause::Stop { until }) => Self::Draining { until },
            (Self::Draining { until }, Cause::Time(now)) if until <= now => Self::Interrupting,
            (Self::Draining { .. } | Self::Interrupting, Cause::NothingHeld) => Self::Stopped,
            (phase, _) => phase,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Cause, Instant, Phase};

    #[test]
    fn an_idle_worker_goes_on_until_the_signal() {
        let now = Instant::now();
        assert_eq!(Phase::Consuming.next(Cause::NothingHeld), Phase::Consuming);
        assert_eq!(Phase::Consuming.next(Cause::Time(now)), Phase::Consuming);
        let draining = Phase::Consuming.next(Cause::Stop { until: now });
        assert_eq!(draining, Phase::Draining { until: now });
        assert_eq!(draining.next(Cause::NothingHeld), Phase::Stopped);
    }

    #[test]
    fn running_steps_are_interrupted_when_the_time_to_drain_is_over() {
        let until = Instant::now();
        let draining = Phase::Draining { until };
        assert_eq!(draining.next(Cause::Time(until - Duration::from_millis(1))), draining);
        assert_eq!(draining.next(Cause::Time(until)), Phase::Interrupting);
        assert_eq!(Phase::Interrupting.next(Cause::NothingHeld), Phase::Stopped);
    }

    #[test]
    fn a_second_signal_does_not_extend_the_time_to_drain() {
        let until = Instant::now();
        let later = Cause::Stop { until: until + Duration::from_secs(60) };
        for phase in [Phase::Draining { until }, Phase::Interrupting, Phase::Stopped] {
            assert_eq!(phase.next(later), phase);
        }
    }

    #[test]
    fn only_a_consuming_worker_claims_and_only_a_draining_one_has_a_deadline() {
        let until = Instant::now();
        let phases = [Phase::Consuming, Phase::Draining { until }, Phase::Interrupting, Phase::Stopped];
        assert_eq!(phases.map(Phase::may_claim), [true, false, false, false]);
        assert_eq!(phases.map(Phase::deadline), [None, Some(until), None, None]);
    }
}
