use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::EventRow;

/// A `CloudEvent` (1.0.2) with extensions.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
pub struct CloudEvent {
    pub specversion: String,
    /// The cursor: `after=` and `Last-Event-ID` take it.
    pub id: String,
    pub source: String,
    pub r#type: String,
    pub subject: String,
    pub time: DateTime<Utc>,
    pub datacontenttype: String,
    pub tenantid: Uuid,
    /// The region where the event was written, if the deployment sets one.
    pub region: Option<String>,
    pub runid: Option<Uuid>,
    pub stepid: Option<Uuid>,
    pub attempt: Option<u32>,
    /// The trace of the request that created the run (W3C).
    pub traceparent: Option<String>,
    /// The id of the request that created the run, or that caused the event.
    pub correlationid: Option<String>,
    #[schema(value_type = Object)]
    pub data: Value,
}

impl From<EventRow> for CloudEvent {
    fn from(row: EventRow) -> Self {
        let id = row.cursor().to_string();
        let subject = match (row.run_id, row.step_id) {
            (Some(run), Some(step)) => format!("runs/{run}/steps/{step}"),
            (Some(run), None) => format!("runs/{run}"),
            _ => "tenant".to_owned(),
        };
        Self {
            specversion: "1.0".to_owned(),
            id,
            source: "/nofx".to_owned(),
            r#type: row.r#type,
            subject,
            time: row.created_at,
            datacontenttype: "application/json".to_owned(),
            tenantid: row.tenant_id,
            region: row.region,
            runid: row.run_id,
            stepid: row.step_id,
            attempt: row.data["attempt"].as_u64().and_then(|attempt| attempt.try_into().ok()),
            traceparent: row.origin.traceparent,
            correlationid: row.origin.correlationid,
            data: row.data,
        }
    }
}
