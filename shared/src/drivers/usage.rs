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
    /// What it reached through the egress proxy, by host and port: see `resources.network`. Left out when there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub destinations: Vec<Destination>,
}

impl Usage {
    /// Both: times are added, of memory the peak counts.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.destinations.extend(other.destinations);
        Self {
            cpu_ms: self.cpu_ms.saturating_add(other.cpu_ms),
            max_rss_bytes: self.max_rss_bytes.max(other.max_rss_bytes),
            wall_ms: self.wall_ms.saturating_add(other.wall_ms),
            destinations: self.destinations,
        }
    }
}
