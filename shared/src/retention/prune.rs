use serde_json::json;

use super::Retained;
use crate::db::{Db, Error};

/// Deletes what is past its retention in batches, each a transaction of its own, until nothing is left or `max_batches` of each kind are
/// done. `deleted` receives what each batch deleted, and how much. Does nothing while another call deletes. A kind that fails does not keep
/// the others from being deleted: the first error is returned after all of them, and each is logged.
pub async fn prune(db: &Db, max_batches: usize, mut deleted: impl FnMut(Retained, u32)) -> Result<(), Error> {
    let mut pruned = Ok(());
    for what in Retained::ALL {
        if let Err(error) = prune_kind(db, what, max_batches, &mut deleted).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                what = what.name(),
                "could not delete what is past its retention; the next run will"
            );
            pruned = pruned.and(Err(error));
        }
    }
    pruned
}

async fn prune_kind(db: &Db, what: Retained, max_batches: usize, deleted: &mut impl FnMut(Retained, u32)) -> Result<(), Error> {
    for _ in 0..max_batches {
        let count: u32 = db.call(function(what), &json!({})).await?;
        if count == 0 {
            break;
        }
        deleted(what, count);
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
