//! Whether the worker's loop still moves. Beats are counted against looks of the supervisor, not against a clock: on a machine that gave
//! neither of them time, neither is late.

/// Looks, one a second, that a loop may miss.
const MOST_MISSED: u32 = 10;

/// None: it has not begun to beat.
#[derive(Default)]
pub(super) struct Heart(Option<u32>);

impl Heart {
    pub(super) fn beat(&mut self) {
        self.0 = Some(0);
    }

    /// A second has passed; says whether the loop stands still.
    pub(super) fn look(&mut self) -> bool {
        self.0.as_mut().is_some_and(|missed| {
            *missed += 1;
            *missed > MOST_MISSED
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Heart;

    #[test]
    fn a_loop_stands_still_when_it_has_begun_and_missed_ten_beats() {
        let mut heart = Heart::default();
        assert!((0..100).all(|_| !heart.look()), "starting may take its time");
        heart.beat();
        assert!((0..10).all(|_| !heart.look()));
        heart.beat();
        assert!((0..10).all(|_| !heart.look()) && heart.look());
    }
}
