//! Events as clients see them: CloudEvents 1.0, the cursor that orders them, and the bus that tells of new ones.

mod bus;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

pub use bus::{Bus, viewer_token};

/// A place in the event log: transaction, then id. See migration 0010.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    pub tx: i64,
    pub id: i64,
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.tx, self.id)
    }
}

impl std::str::FromStr for Cursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (tx, id) = text.split_once('-')?;
            Some(Self { tx: tx.parse().ok()?, id: id.parse().ok()? })
        };
        parse().ok_or("a cursor looks like 1234-56; take it from the id of an event")
    }
}

/// A row of `nofx.event`.
#[derive(Clone, Debug, Deserialize)]
pub struct Row {
    pub id: i64,
    pub tx: i64,
    pub tenant_id: Uuid,
    pub run_id: Option<Uuid>,
    pub step_id: Option<Uuid>,
    pub r#type: String,
    pub data: Value,
    pub created_at: DateTime<Utc>,
}

/// A `CloudEvent` (1.0.2) with the extensions `tenantid`, `runid` and `stepid`.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Event {
    pub specversion: String,
    /// The cursor: `after=` and `Last-Event-ID` take it.
    pub id: String,
    pub source: String,
    pub r#type: String,
    pub subject: String,
    pub time: DateTime<Utc>,
    pub datacontenttype: String,
    pub tenantid: Uuid,
    pub runid: Option<Uuid>,
    pub stepid: Option<Uuid>,
    pub data: Value,
}

impl Row {
    pub fn cursor(&self) -> Cursor {
        Cursor { tx: self.tx, id: self.id }
    }
}

impl From<Row> for Event {
    fn from(row: Row) -> Self {
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
            runid: row.run_id,
            stepid: row.step_id,
            data: row.data,
        }
    }
}
