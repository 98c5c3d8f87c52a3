//! Whether the worker's loop still moves. Heartbeats are counted against checks of the supervisor, not against a clock: on a machine that gave
//! neither of them time, neither is late.

/// Checks, one a second, that a loop may miss.
const MAX_MISSED: u32 = 10;

/// None: it has not sent its first heartbeat.
#[derive(Default)]
pub(super) struct Heart(Option<u32>);

impl Heart {
    pub(super) fn heartbeat(&mut self) {
        self.0 = Some(0);
    }

    /// A second has passed; says whether the loop stands still.
    pub(super) fn check(&mut self) -> bool {
        self.0.as_mut().is_some_and(|missed| {
            *missed += 1;
            *missed > MAX_MISSED
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Heart;

    #[test]
    fn a_loop_stands_still_when_it_has_begun_and_missed_ten_heartbeats() {
        let mut heart = Heart::default();
        assert!((0..100).all(|_| !heart.check()), "starting may take its time");
        heart.heartbeat();
        assert!((0..10).all(|_| !heart.check()));
        heart.heartbeat();
        assert!((0..10).all(|_| !heart.check()) && heart.check());
    }
}
