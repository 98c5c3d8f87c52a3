use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::db::{Db, Error};

/// What an alert measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// Steps that are ready, of each priority.
    QueueDepth,
    /// Seconds that the oldest ready step has waited, of each priority.
    QueueAge,
    /// 95th percentile of the queue time of steps, in seconds, over five minutes, of each priority.
    QueueLatency,
    /// Steps that were dead-lettered in ten minutes.
    DlqGrowth,
    /// Seconds since a breaker was last closed.
    BreakerOpen,
    /// Seconds that a gate has waited for people.
    ApprovalWaiting,
}

/// A measurement that passed its threshold. One for each subject can be ongoing.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Alert {
    pub id: Uuid,
    pub kind: AlertKind,
    /// What it is about: `high`, `normal` or `low` for the steps of a priority (above, at and below 0), `dlq`, the target of a breaker, or the
    /// id of a gate.
    pub subject: String,
    /// The run that it is about, if there is one.
    pub run_id: Option<Uuid>,
    /// The last measured value.
    pub value: f64,
    pub threshold: f64,
    pub raised_at: DateTime<Utc>,
    pub seen_at: DateTime<Utc>,
    /// Null while the alert is ongoing.
    pub resolved_at: Option<DateTime<Utc>>,
    /// The page of the dashboard that shows it, or its gate: a path.
    pub link: String,
    /// Of `approval_waiting`, who could decide: `{gate_id, gate_type, role, approvals, approvals_required, author_may_approve, people}`, `role`
    /// being the minimum and `people` the addresses of at most 20. Empty for the other kinds.
    #[schema(value_type = Object)]
    pub details: Value,
}

impl Alert {
    /// Columns of `nofx.alert`.
    pub const COLUMNS: &str = "id,kind,subject,run_id,value,threshold,raised_at,seen_at,resolved_at,link,details";
    /// Ongoing ones first, then the last: many that are resolved hide none that is ongoing.
    pub const ORDER: &str = "resolved_at.desc.nullsfirst,id.desc";
}

/// How many alerts changed.
#[derive(Debug, Deserialize)]
pub struct AlertsChanged {
    pub raised: usize,
    pub resolved: usize,
}

/// Measures the queues, breakers and approvals of all tenants, raises and resolves alerts.
pub async fn watch_queues(db: &Db) -> Result<AlertsChanged, Error> {
    db.call("watch_queues", &json!({})).await
}
