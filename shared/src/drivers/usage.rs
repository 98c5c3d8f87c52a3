use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Destination;

/// What the processes of an attempt used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
pub struct Usage {
    /// Processor time, in milliseconds.
    pub cpu_ms: u64,
    /// Peak memory of the largest process, in bytes.
    pub max_rss_bytes: u64,
    /// From start to end of each process, in milliseconds; of a sandbox that is paid for, as long as it lives.
    pub wall_ms: u64,
    /// What was read from disks, in bytes: nothing that was in memory already. Left out when it is nothing, or not known to the driver.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub read_bytes: u64,
    /// What was written to be on disks, in bytes. Left out like `read_bytes`.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub written_bytes: u64,
    /// What it reached through the egress proxy, by host and port: see `resources.network`. Left out when there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub destinations: Vec<Destination>,
}

impl Usage {
    /// Both: times and bytes are added, of memory the peak counts.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.destinations.extend(other.destinations);
        Self {
            cpu_ms: self.cpu_ms.saturating_add(other.cpu_ms),
            max_rss_bytes: self.max_rss_bytes.max(other.max_rss_bytes),
            wall_ms: self.wall_ms.saturating_add(other.wall_ms),
            read_bytes: self.read_bytes.saturating_add(other.read_bytes),
            written_bytes: self.written_bytes.saturating_add(other.written_bytes),
            destinations: self.destinations,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
fn is_nothing(bytes: &u64) -> bool {
    *bytes == 0
}
