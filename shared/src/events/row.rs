use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::Cursor;

/// A row of the event log, as `read_events` returns it.
#[derive(Clone, Debug, Deserialize)]
pub struct EventRow {
    pub id: i64,
    pub tx: i64,
    pub tenant_id: Uuid,
    pub run_id: Option<Uuid>,
    pub step_id: Option<Uuid>,
    pub r#type: String,
    pub data: Value,
    pub created_at: DateTime<Utc>,
    pub region: Option<String>,
    /// The request that created the run.
    pub origin: Origin,
    /// A page of the log ended with this event because of its bytes; others may follow. Only pages of the log have it.
    #[serde(default)]
    pub more: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Origin {
    pub traceparent: Option<String>,
    pub correlationid: Option<String>,
}

impl EventRow {
    pub fn cursor(&self) -> Cursor {
        Cursor { tx: self.tx, id: self.id }
    }
}
