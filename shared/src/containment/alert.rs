use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::db::{Db, Error};

/// What an alert measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// Steps that are ready.
    QueueDepth,
    /// Seconds that the oldest ready step has waited.
    QueueAge,
    /// 95th percentile of the queue time of steps, in seconds, over five minutes.
    QueueLatency,
    /// Steps that were dead-lettered in ten minutes.
    DlqGrowth,
    /// Breakers that are not closed.
    BreakerOpen,
}

/// A measurement that passed its threshold.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Alert {
    pub id: Uuid,
    pub kind: AlertKind,
    /// The last measured value.
    pub value: f64,
    pub threshold: f64,
    pub raised_at: DateTime<Utc>,
    pub seen_at: DateTime<Utc>,
    /// Null while the alert is ongoing.
    pub resolved_at: Option<DateTime<Utc>>,
}

impl Alert {
    /// Columns of `nofx.alert`.
    pub const COLUMNS: &str = "id,kind,value,threshold,raised_at,seen_at,resolved_at";
}

/// How many alerts changed.
#[derive(Debug, Deserialize)]
pub struct AlertsChanged {
    pub raised: usize,
    pub resolved: usize,
}

/// Measures the queues of all tenants, raises and resolves alerts.
pub async fn watch_queues(db: &Db) -> Result<AlertsChanged, Error> {
    db.call("watch_queues", &json!({})).await
}
