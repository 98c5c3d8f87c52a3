//! Whether the worker's loop still moves. Heartbeats are counted against checks of the supervisor, not against a clock: on a machine that gave
//! neither of them time, neither is late.

/// Checks, one a second, that a loop may miss.
const MAX_MISSED: u32 = 10;
/// The same before its first heartbeat: its start takes a second, on a machine that is busy some more.
const MAX_MISSED_AT_START: u32 = 300;

#[derive(Default)]
pub(super) struct Heart {
    has_begun: bool,
    missed: u32,
}

impl Heart {
    pub(super) fn heartbeat(&mut self) {
        *self = Self { has_begun: true, missed: 0 };
    }

    /// A second has passed; says whether the loop stands still.
    pub(super) fn check(&mut self) -> bool {
        self.missed = self.missed.saturating_add(1);
        self.missed > if self.has_begun { MAX_MISSED } else { MAX_MISSED_AT_START }
    }
}

#[cfg(test)]
mod tests {
    use super::Heart;

    #[test]
    fn a_loop_that_never_begins_stands_still() {
        let mut heart = Heart::default();
        assert!((0..300).all(|_| !heart.check()) && heart.check() && heart.check());
    }

    #[test]
    fn a_loop_stands_still_when_it_has_begun_and_missed_ten_heartbeats() {
        let mut heart = Heart::default();
        assert!((0..299).all(|_| !heart.check()), "starting may take its time");
        heart.heartbeat();
        assert!((0..10).all(|_| !heart.check()));
        heart.heartbeat();
        assert!((0..10).all(|_| !heart.check()) && heart.check());
    }
}
