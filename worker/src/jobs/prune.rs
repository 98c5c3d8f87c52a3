//! Deletes what is older than its retention: history, requests, logs, content of deleted artifacts, and workspaces of workers
//! that are gone.

use std::time::Duration;

use nofx_shared::artifacts;
use nofx_shared::db::{Db, Error};
use nofx_shared::retention;
use nofx_shared::storage::Storage;
use tokio::time::timeout;

use super::context::JobContext;
use crate::metrics::Metrics;

/// Of each kind of history; what is left then waits for the next hour, so that none waits for another for long.
const MAX_BATCHES: usize = 1000;
/// How long a batch of content may take to be deleted, and the time in which no other worker deletes it.
const REMOVAL_LEASE: Duration = Duration::from_secs(600);

pub(super) async fn run(context: &JobContext) -> Result<(), Error> {
    let JobContext { db, services, metrics, .. } = context;
    let deleted = delete_rows_and_blobs(db, &services.storage, metrics).await;
    services.workspaces.clean().await;
    deleted
}

/// Each kind is tried, whatever became of those before it. Returns the first error.
async fn delete_rows_and_blobs(db: &Db, storage: &Storage, metrics: &Metrics) -> Result<(), Error> {
    let results = [
        retention::maintain_event_partitions(db).await.map(drop),
        retention::prune_requests(db).await.map(drop),
        retention::prune_logs(db).await.map(drop),
        retention::prune(db, MAX_BATCHES, |what, count| metrics.pruned(what, count)).await,
        delete_blobs(db, storage).await,
    ];
    results.into_iter().collect()
}

/// Deletes the content of deleted artifacts. What could not be deleted is leased again after its lease has expired.
async fn delete_blobs(db: &Db, storage: &Storage) -> Result<(), Error> {
    loop {
        let removal = artifacts::blobs_to_delete(db, REMOVAL_LEASE).await?;
        if removal.blobs.is_empty() {
            return Ok(());
        }
        match timeout(REMOVAL_LEASE / 2, storage.remove(&removal.blobs)).await {
            Ok(Ok(())) => artifacts::confirm_blobs_deleted(db, &removal).await?,
            Ok(Err(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "could not delete the content of artifacts; another round will");
                return Ok(());
            }
            Err(_) => {
                tracing::warn!("Storage did not delete the content of artifacts in time; another round will");
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::extract::State;
    use axum::http::{StatusCode, Uri};
    use axum::{Json, Router};
    use serde_json::{Value, json};
    use tokio::net::TcpListener;
    use uuid::Uuid;

    use super::*;

    type Calls = Arc<Mutex<Vec<String>>>;

    /// A database that has nothing to delete, and whose function of this name takes longer than its statement timeout.
    async fn answer(State((calls, slow)): State<(Calls, &'static str)>, uri: Uri) -> (StatusCode, Json<Value>) {
        let function = uri.path().trim_start_matches("/rpc/").to_owned();
        let is_slow = function == slow;
        let nothing = match function.as_str() {
            "blobs_to_delete" => json!({"lease": Uuid::nil(), "blobs": []}),
            name if name.starts_with("prune_") => json!(0),
            _ => json!([]),
        };
        calls.lock().expect("the lock is never poisoned").push(function);
        if is_slow {
            return (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({"code": "57014", "message": "canceling statement"})));
        }
        (StatusCode::OK, Json(nothing))
    }

    /// What the job calls, and whether it succeeds.
    async fn outcome(slow: &'static str) -> (Vec<String>, bool) {
        let calls = Calls::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(answer).with_state((Arc::clone(&calls), slow));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let deleted = delete_rows_and_blobs(&Db::new(&url, "key", "token"), &Storage::new(&url, "key"), &Metrics::new()).await;
        let calls = calls.lock().expect("the lock is never poisoned").clone();
        (calls, deleted.is_ok())
    }

    #[tokio::test]
    async fn a_kind_that_fails_keeps_no_other_from_being_deleted() {
        let (all, succeeds) = outcome("none").await;
        assert!(succeeds && all.len() == 9 && all.last().is_some_and(|last| last == "blobs_to_delete"), "{all:?}");
        for slow in ["maintain_event_partitions", "prune_logs", "prune_model_calls", "prune_runs", "prune_events"] {
            assert_eq!(outcome(slow).await, (all.clone(), false), "{slow}");
        }
    }
}
