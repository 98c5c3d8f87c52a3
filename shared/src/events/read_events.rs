//! Reads pages of the event log, oldest first. Newest first, or all events of a run, are plain reads of `nofx.event` where they are needed.

use serde_json::json;
use uuid::Uuid;

use super::{Cursor, EventRow};
use crate::db::{Db, Error};

/// Selects events by run and type.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    pub run: Option<Uuid>,
    pub types: Option<Vec<String>>,
}

impl EventFilter {
    pub fn matches(&self, row: &EventRow) -> bool {
        self.run.is_none_or(|run| row.run_id == Some(run)) && self.types.as_ref().is_none_or(|types| types.contains(&row.r#type))
    }
}

/// Reads a page of the log as the identity of `db` sees it: at most `limit` events, fewer when they are large (`EventRow::more`).
pub async fn read_events(db: &Db, after: Cursor, filter: &EventFilter, limit: usize) -> Result<Vec<EventRow>, Error> {
    let arguments = json!({"p_after_tx": after.tx, "p_after_id": after.id, "p_types": filter.types, "p_run": filter.run, "p_limit": limit});
    db.call("read_events", &arguments).await
}
