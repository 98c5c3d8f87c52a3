//! Round numbers for a time axis.

/// Steps that people read easily, in milliseconds.
const STEPS: [i64; 24] = [
    1,
    2,
    5,
    10,
    20,
    50,
    100,
    200,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    15_000,
    30_000,
    60_000,
    120_000,
    300_000,
    600_000,
    1_800_000,
    3_600_000,
    21_600_000,
    86_400_000,
    604_800_000,
];

/// The distance of the marks such that at most eight are needed, and the length of the whole axis: a round number of them, so that it
/// does not change with every moment of a run that goes on.
pub(super) fn round(length_ms: i64) -> (i64, i64) {
    let length = length_ms.max(1);
    let step = STEPS.into_iter().find(|step| length <= step * 8).unwrap_or_else(|| (length / 8).max(1));
    (step, (length + step - 1) / step * step)
}

#[cfg(test)]
mod tests {
    use super::round;

    #[test]
    fn an_axis_has_at_most_eight_round_marks() {
        assert_eq!(round(0), (1, 1));
        assert_eq!(round(950), (200, 1_000));
        assert_eq!(round(61_000), (10_000, 70_000));
        assert_eq!(round(40 * 86_400_000), (604_800_000, 6 * 604_800_000));
    }
}
