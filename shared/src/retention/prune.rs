use serde_json::json;

use super::Retained;
use crate::db::{Db, Error};

/// Deletes what is past its retention in batches, each a transaction of its own, until nothing is left or `max_batches` of each kind are
/// done. `deleted` receives what each batch deleted, and how much. Does nothing while another call deletes.
pub async fn prune(db: &Db, max_batches: usize, mut deleted: impl FnMut(Retained, u32)) -> Result<(), Error> {
    for what in Retained::ALL {
        for _ in 0..max_batches {
            let count: u32 = db.call(function(what), &json!({})).await?;
            if count == 0 {
                break;
            }
            deleted(what, count);
        }
    }
    Ok(())
}

fn function(what: Retained) -> &'static str {
    match what {
        Retained::Runs => "prune_runs",
        Retained::ModelCalls => "prune_model_calls",
        Retained::Artifacts => "prune_artifacts",
        Retained::Alerts => "prune_alerts",
        Retained::Events => "prune_events",
    }
}
