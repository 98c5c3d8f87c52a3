use serde::{Deserialize, Serialize};

/// What has a retention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Retained {
    /// Runs, with everything that belongs to them, from their end.
    Runs,
    /// Model calls, from the end of their run.
    ModelCalls,
    /// Artifacts, from the end of the last run that made or used them.
    Artifacts,
    /// Alerts, from when they were resolved.
    Alerts,
    /// Events, from when they were written.
    Events,
}

impl Retained {
    /// In the order in which they are deleted: what belongs to a run before the run.
    pub const ALL: [Self; 5] = [Self::ModelCalls, Self::Artifacts, Self::Runs, Self::Alerts, Self::Events];

    pub fn name(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::ModelCalls => "model_calls",
            Self::Artifacts => "artifacts",
            Self::Alerts => "alerts",
            Self::Events => "events",
        }
    }
}

/// For how many days a tenant keeps something.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RetentionSetting {
    pub what: Retained,
    /// 1 to 3650; null: forever, model calls and artifacts as long as their run.
    pub days: Option<u16>,
    /// The tenant has set no other.
    pub is_default: bool,
}
