use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the processes of an attempt used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
pub struct Usage {
    /// Processor time, in milliseconds.
    pub cpu_ms: u64,
    /// Peak memory of the largest process, in bytes.
    pub max_rss_bytes: u64,
    /// From start to end of each process, in milliseconds; of a sandbox that is paid for, as long as it lives.
    pub wall_ms: u64,
}

impl Usage {
    /// Both: times are added, of memory the peak counts.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            cpu_ms: self.cpu_ms.saturating_add(other.cpu_ms),
            max_rss_bytes: self.max_rss_bytes.max(other.max_rss_bytes),
            wall_ms: self.wall_ms.saturating_add(other.wall_ms),
        }
    }
}
