//! Which of some runs have not ended.

use std::collections::HashSet;

use serde::Deserialize;
use uuid::Uuid;

use crate::db::{Db, Error, Query};

/// Ids in one call: they are in its URL.
const IDS: usize = 100;

/// Those of the runs that exist and have not ended, as the service role.
pub async fn unfinished_runs(db: &Db, runs: &[Uuid]) -> Result<HashSet<Uuid>, Error> {
    #[derive(Deserialize)]
    struct Row {
        id: Uuid,
    }
    let mut unfinished = HashSet::new();
    for some in runs.chunks(IDS) {
        let ids: Vec<String> = some.iter().map(Uuid::to_string).collect();
        let query =
            Query::of("run", [("id", format!("in.({})", ids.join(","))), ("ended_at", "is.null".to_owned()), ("select", "id".to_owned())]);
        let rows: Vec<Row> = db.read(&query).await?;
        unfinished.extend(rows.into_iter().map(|row| row.id));
    }
    Ok(unfinished)
}
