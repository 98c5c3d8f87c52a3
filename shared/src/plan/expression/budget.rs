/// What evaluations may still use, in units. A unit is a step of the evaluation, or memory: a value of a list or a map, or 32 bytes of a
/// text. A list, a text or a map that is used as a whole counts with all that it contains, each time; a regular expression counts for its
/// size and for each byte that it is matched with. A unit takes well below a microsecond and 100 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget(pub(super) u64);

impl Budget {
    /// What all expressions of one attempt of a step may use together.
    pub const STEP: Self = Self(1_000_000);
    /// What a filter of a hook may use for one event or request.
    pub const FILTER: Self = Self(100_000);

    /// What was used of a budget that had this much.
    pub fn used_of(self, full: Self) -> u64 {
        full.0.saturating_sub(self.0)
    }

    /// Whether this much would use it up.
    pub fn is_used_by(self, units: u64) -> bool {
        units >= self.0
    }
}
