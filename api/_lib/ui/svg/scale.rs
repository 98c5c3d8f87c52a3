//! From instants to places on an axis, with idle time left out when that is wanted.

use chrono::{DateTime, Utc};

use super::axis::round;

/// Width of every drawing over time; browsers stretch it.
pub(super) const WIDTH: i64 = 10_000;
/// The width that remains of an omitted gap.
const GAP_MS: i64 = 200;

/// A time axis.
pub(in crate::ui) struct Scale {
    origin: DateTime<Utc>,
    /// Left out: from, to, in milliseconds after the origin, ascending.
    gaps: Vec<(i64, i64)>,
    step_ms: i64,
    length_ms: i64,
    now_ms: Option<i64>,
}

impl Scale {
    /// `now`: for a run that has not ended. `busy`: the times to show, if idle time is left out.
    pub(in crate::ui) fn new(
        origin: DateTime<Utc>,
        end: DateTime<Utc>,
        now: Option<DateTime<Utc>>,
        busy: Option<Vec<(DateTime<Utc>, DateTime<Utc>)>>,
    ) -> Self {
        let after = |at: DateTime<Utc>| (at - origin).num_milliseconds().max(0);
        let gaps =
            busy.map(|busy| gaps(busy.into_iter().map(|(from, to)| (after(from), after(to))).collect(), after(end))).unwrap_or_default();
        let mut scale = Self { origin, gaps, step_ms: 1, length_ms: 1, now_ms: None };
        (scale.step_ms, scale.length_ms) = round(scale.place_ms(end));
        scale.now_ms = now.map(|now| scale.place_ms(now));
        scale
    }

    /// Milliseconds from the start of the axis.
    fn place_ms(&self, at: DateTime<Utc>) -> i64 {
        let at = (at - self.origin).num_milliseconds().max(0);
        let left_out: i64 = self.gaps.iter().map(|(from, to)| ((at.min(*to) - from).max(0) - GAP_MS).max(0)).sum();
        at - left_out
    }

    pub(super) fn x(&self, at: DateTime<Utc>) -> i64 {
        (self.place_ms(at) * WIDTH / self.length_ms).clamp(0, WIDTH)
    }

    pub(super) fn now_x(&self) -> Option<i64> {
        self.now_ms.map(|now| (now * WIDTH / self.length_ms).clamp(0, WIDTH))
    }

    pub(super) fn length_ms(&self) -> i64 {
        self.length_ms
    }

    /// Places and times of the marks.
    pub(super) fn marks(&self) -> impl Iterator<Item = (i64, i64)> {
        (0..=self.length_ms / self.step_ms).map(|n| (n * self.step_ms * WIDTH / self.length_ms, n * self.step_ms))
    }
}

/// The gaps between busy times that are long enough to leave out.
fn gaps(mut busy: Vec<(i64, i64)>, end: i64) -> Vec<(i64, i64)> {
    busy.sort_unstable();
    let mut gaps = vec![];
    let mut until = 0;
    for (from, to) in busy.into_iter().chain([(end, end)]) {
        if from - until > GAP_MS * 2 {
            gaps.push((until, from));
        }
        until = until.max(to);
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_time_is_left_out_when_that_is_wanted() {
        let at = |ms: i64| DateTime::from_timestamp_millis(1_700_000_000_000 + ms).expect("an instant");
        let whole = Scale::new(at(0), at(80_000), None, None);
        assert_eq!((whole.x(at(40_000)), whole.length_ms()), (5_000, 80_000));
        let busy = vec![(at(0), at(1_000)), (at(99_000), at(100_000)), (at(500), at(900))];
        let short = Scale::new(at(0), at(100_000), Some(at(100_000)), Some(busy));
        assert_eq!(short.length_ms(), 2_500, "two seconds of work, and what is left of the gap");
        assert_eq!(short.x(at(1_000)), 4_000);
        assert_eq!(short.x(at(99_000)), 4_800);
        assert_eq!(short.now_x(), Some(8_800));
    }
}
