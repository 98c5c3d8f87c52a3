//! Against a database that refuses what it is set to refuse. Real settles are tested by the scenarios of the engine.

use std::sync::Mutex;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::json;
use tokio::net::TcpListener;

use crate::drivers::Sandboxed;

use super::*;

/// A database and the batches that it got.
struct Database {
    /// Refuses outcomes of this step unless the step failed.
    refuses: Uuid,
    batches: Mutex<Vec<Vec<Value>>>,
}

impl Database {
    async fn start(refuses: Uuid) -> (Arc<Self>, Db) {
        let database = Arc::new(Self { refuses, batches: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().route("/rpc/settle_steps", post(settle)).with_state(Arc::clone(&database));
        tokio::spawn(async move { axum::serve(listener, router).await });
        (database, Db::new(&url, "key", "token"))
    }
}

async fn settle(State(database): State<Arc<Database>>, Json(arguments): Json<Value>) -> (StatusCode, Json<Value>) {
    let rows = arguments["p_outcomes"].as_array().cloned().unwrap_or_default();
    let is_refused = rows.iter().any(|row| row["step_id"] == json!(database.refuses) && row["kind"] != "failed");
    database.batches.lock().expect("the lock is never poisoned").push(rows);
    if is_refused {
        return (StatusCode::BAD_REQUEST, Json(json!({"code": "22P05", "message": "unsupported Unicode escape sequence"})));
    }
    let settled = json!({"refused": [], "claims": [], "wake_for": [], "next_due_at": null, "has_checks": false, "has_hooks": false});
    (StatusCode::OK, Json(settled))
}

fn settling(db: Db) -> Settling {
    Settling::new(db, "worker".to_owned(), Duration::from_secs(30), 8, Arc::new(Metrics::new()))
}

fn result(run: Uuid, step: Uuid) -> StepResult {
    StepResult {
        run,
        step,
        token: Uuid::now_v7(),
        outcome: Outcome::Done { outputs: Value::Null },
        breaker_target: None,
        inputs: None,
        sandboxed: Sandboxed::default(),
    }
}

#[tokio::test]
async fn an_outcome_that_is_refused_fails_its_step_and_no_other() {
    let steps: [Uuid; 3] = std::array::from_fn(|_| Uuid::now_v7());
    let (database, db) = Database::start(steps[1]).await;
    let mut settling = settling(db);
    for step in steps {
        settling.add(result(Uuid::now_v7(), step));
    }

    while !settling.is_idle() {
        settling.send(false, 0, 0);
        match settling.next_reply().await {
            Some(reply) => drop(settling.receive(reply.expect("a settle does not panic"))),
            None => tokio::time::sleep_until(settling.backoff_until().expect("only a refusal makes it wait")).await,
        }
    }

    let batches = database.batches.lock().expect("the lock is never poisoned");
    assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [3, 1, 1, 1, 1], "together, each alone, and the failure");
    let failed: Vec<&Value> = batches.iter().flatten().filter(|row| row["kind"] == "failed").collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!((&failed[0]["step_id"], &failed[0]["transient"]), (&json!(steps[1]), &json!(false)));
}

#[tokio::test]
async fn results_of_a_run_wait_for_its_settle_in_flight() {
    let (_, db) = Database::start(Uuid::nil()).await;
    let mut settling = settling(db);
    let (run, other) = (Uuid::now_v7(), Uuid::now_v7());
    settling.add(result(run, Uuid::now_v7()));
    settling.send(false, 0, 0);
    assert!(!settling.has_results(), "the first was sent");

    settling.add(result(run, Uuid::now_v7()));
    settling.send(false, 0, 0);
    assert_eq!((settling.results.len(), settling.in_flight.len()), (1, 1), "the second would only wait for its lock");
    settling.add(result(other, Uuid::now_v7()));
    settling.send(false, 0, 0);
    assert_eq!((settling.results.len(), settling.in_flight.len()), (1, 2), "another run needs another lock");
}
