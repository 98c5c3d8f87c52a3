//! The end of the event log, for the page of events and that of a run. The API reads the log from the other end.

use nofx_shared::db::{self, Db, Query};
use nofx_shared::events::{CloudEvent, EventRow};

/// The newest events that pass these filters, the newest first.
pub(super) async fn newest_events(db: &Db, filters: Vec<(String, String)>, limit: usize) -> Result<Vec<CloudEvent>, db::Error> {
    let mut query =
        Query::of("event", [("select", "*,origin".to_owned()), ("order", "tx.desc,id.desc".to_owned()), ("limit", limit.to_string())]);
    query.filters.extend(filters);
    let rows: Vec<EventRow> = db.read(&query).await?;
    Ok(rows.into_iter().map(CloudEvent::from).collect())
}
