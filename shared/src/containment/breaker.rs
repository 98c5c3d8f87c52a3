use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// Everything passes.
    Closed,
    /// Nothing passes until the next probe.
    Open,
    /// A probe is under way.
    HalfOpen,
}

/// The breaker of a tool, or of an external service that tools call.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Breaker {
    /// A tool, `http:<host>` or `provider:<name>`.
    pub target: String,
    pub state: BreakerState,
    /// Results in the current window.
    pub succeeded: i64,
    pub failed: i64,
    /// When the breaker is probed next, unless it is closed.
    pub probe_at: Option<DateTime<Utc>>,
    pub last_error: Option<String>,
    pub changed_at: DateTime<Utc>,
    pub window_s: i64,
    /// Minimum number of results in the window before the breaker opens.
    pub min_volume: i64,
    /// Share of failures that opens the breaker.
    pub failure_rate: f64,
    /// Successful probes that close the breaker.
    pub probes: i64,
}

impl Breaker {
    /// Columns of `nofx.handler_health`.
    pub const COLUMNS: &str = "target,state,succeeded,failed,probe_at,last_error,changed_at,window_s,min_volume,failure_rate,probes";
}
