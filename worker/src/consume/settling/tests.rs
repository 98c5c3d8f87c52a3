//! Against a database that refuses what it is set to refuse. Real settles are tested by the scenarios of the engine.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::{DefaultBodyLimit, State};
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
    /// It takes too long instead of refusing.
    is_slow: AtomicBool,
    batches: Mutex<Vec<Vec<Value>>>,
    /// The writes that it got; it is unavailable for the first, and answers each other one when it may.
    writes: Mutex<Vec<Value>>,
    may_answer: tokio::sync::Semaphore,
}

impl Database {
    async fn start(refuses: Uuid) -> (Arc<Self>, Db) {
        let database = Arc::new(Self {
            refuses,
            is_slow: AtomicBool::new(false),
            batches: Mutex::default(),
            writes: Mutex::default(),
            may_answer: tokio::sync::Semaphore::new(0),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new()
            .route("/rpc/settle_steps", post(settle))
            .route("/rpc/settle_write", post(settle_write))
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&database));
        tokio::spawn(async move { axum::serve(listener, router).await });
        (database, Db::new(&url, "key", "token"))
    }
}

async fn settle(State(database): State<Arc<Database>>, Json(arguments): Json<Value>) -> (StatusCode, Json<Value>) {
    let rows = arguments["p_outcomes"].as_array().cloned().unwrap_or_default();
    let is_refused = rows.iter().any(|row| row["step_id"] == json!(database.refuses) && row["kind"] != "failed");
    database.batches.lock().expect("the lock is never poisoned").push(rows);
    if is_refused && database.is_slow.load(Ordering::Relaxed) {
        return (
            StatusCode::INTERNAL_SERVER_ERROR,
            Json(json!({"code": "57014", "message": "canceling statement due to statement timeout"})),
        );
    }
    if is_refused {
        return (StatusCode::BAD_REQUEST, Json(json!({"code": "22P05", "message": "unsupported Unicode escape sequence"})));
    }
    (StatusCode::OK, Json(settled()))
}

async fn settle_write(State(database): State<Arc<Database>>, Json(arguments): Json<Value>) -> (StatusCode, Json<Value>) {
    let is_first = {
        let mut writes = database.writes.lock().expect("the lock is never poisoned");
        writes.push(arguments);
        writes.len() == 1
    };
    if is_first {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"code": "PGRST003", "message": "no connection"})));
    }
    database.may_answer.acquire().await.expect("it is open").forget();
    (StatusCode::OK, Json(settled()))
}

fn settled() -> Value {
    json!({"refused": [], "claims": [], "wake_for": [], "next_due_at": null, "has_checks": false, "has_hooks": false})
}

fn settling(db: Db) -> Settling {
    Settling::new(db, "worker".to_owned(), Duration::from_secs(30), 8, Arc::new(Metrics::new()))
}

fn result(run: Uuid, step: Uuid) -> StepResult {
    StepResult {
        tenant: run,
        run,
        step,
        token: Uuid::now_v7(),
        outcome: Outcome::Done { outputs: Value::Null },
        breaker_target: None,
        inputs: None,
        sandboxed: Sandboxed::default(),
        left: None,
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
            Some(reply) => drop(settling.receive(reply)),
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
async fn an_outcome_that_takes_too_long_fails_its_step_and_no_other() {
    let steps: Vec<Uuid> = (0..40).map(|_| Uuid::now_v7()).collect();
    let (database, db) = Database::start(steps[23]).await;
    database.is_slow.store(true, Ordering::Relaxed);
    let mut settling = settling(db);
    for step in &steps {
        settling.add(result(Uuid::now_v7(), *step));
    }
    while !settling.is_idle() {
        settling.send(false, 0, 0);
        match settling.next_reply().await {
            Some(reply) => drop(settling.receive(reply)),
            None => tokio::time::sleep_until(settling.backoff_until().expect("it waits for another try")).await,
        }
    }

    let batches = database.batches.lock().expect("the lock is never poisoned");
    let with_it = batches.iter().filter(|batch| batch.iter().any(|row| row["step_id"] == json!(steps[23])));
    assert_eq!(with_it.map(Vec::len).collect::<Vec<_>>(), [40, 5, 1, 1, 1, 1], "smaller and smaller, three times alone, and its failure");
    let failed: Vec<&Value> = batches.iter().flatten().filter(|row| row["kind"] == "failed").collect();
    assert_eq!((failed.len(), &failed[0]["transient"]), (1, &json!(true)), "{failed:?}");
    let settled: HashSet<String> = batches.iter().filter(|batch| batch.len() < 6).flatten().map(|row| row["step_id"].to_string()).collect();
    assert_eq!(settled.len(), 40, "the others were settled");
}

#[tokio::test]
async fn a_batch_has_so_many_bytes_at_most() {
    let (database, db) = Database::start(Uuid::nil()).await;
    let mut settling = settling(db);
    for _ in 0..5 {
        let outputs = json!({"text": "x".repeat(3 << 20)});
        settling.add(StepResult { outcome: Outcome::Done { outputs }, ..result(Uuid::now_v7(), Uuid::now_v7()) });
    }
    while !settling.is_idle() {
        settling.send(false, 0, 0);
        if let Some(reply) = settling.next_reply().await {
            settling.receive(reply);
        }
    }
    let batches = database.batches.lock().expect("the lock is never poisoned");
    let mut sizes: Vec<usize> = batches.iter().map(Vec::len).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [2, 3]);
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

#[tokio::test]
async fn a_write_is_settled_alone_and_delays_no_result_of_its_run() {
    let (database, db) = Database::start(Uuid::nil()).await;
    let mut settling = settling(db);
    let run = Uuid::now_v7();
    settling.add(StepResult { outcome: Outcome::Write { write: json!({"op": "insert"}) }, ..result(run, Uuid::now_v7()) });
    assert!(settling.has_results() && !settling.is_idle() && settling.waiting_writes() == 1);
    settling.send(false, 0, 0);
    let reply = settling.next_reply().await.expect("in flight");
    assert!(settling.receive(reply).is_none() && settling.waiting_writes() == 1, "it is sent again");
    tokio::time::sleep_until(settling.backoff_until().expect("a while later")).await;
    settling.send(false, 0, 0);
    assert_eq!((settling.waiting_writes(), settling.writes.in_flight()), (0, 1));

    // While the table takes its time, others of the run and of the tenant are settled.
    for _ in 0..2 {
        settling.add(result(run, Uuid::now_v7()));
        settling.send(false, 0, 0);
        let reply = settling.next_reply().await.expect("in flight");
        assert_eq!(reply.sent.len(), 1);
        assert!(settling.receive(reply).is_some());
    }
    assert!(!settling.is_idle());
    database.may_answer.add_permits(1);
    let reply = settling.next_reply().await.expect("in flight");
    assert_eq!(reply.tokens().len(), 1);
    assert!(settling.receive(reply).is_some() && settling.is_idle());

    let writes = database.writes.lock().expect("the lock is never poisoned");
    assert_eq!(writes.len(), 2);
    assert_eq!((&writes[1]["p_outcome"]["outputs"], &writes[1]["p_outcome"]["kind"]), (&json!({"op": "insert"}), &Value::Null));
    assert!(database.batches.lock().expect("the lock is never poisoned").iter().all(|batch| batch.len() == 1));
}

#[tokio::test]
async fn a_write_claims_one_step_in_the_place_of_its_own() {
    let (_, db) = Database::start(Uuid::nil()).await;
    let mut settling = settling(db);
    settling.add(StepResult { outcome: Outcome::Write { write: json!({}) }, ..result(Uuid::now_v7(), Uuid::now_v7()) });
    settling.send(true, 0, 0);
    let mut capacities = vec![];
    for _ in 0..2 {
        let reply = settling.next_reply().await.expect("in flight");
        capacities.push((reply.sent.len(), reply.capacity));
        settling.receive(reply);
    }
    capacities.sort_unstable();
    assert_eq!(capacities, [(0, 7), (1, 1)], "the rest of the eight is for others");
    assert_eq!(settling.capacity_in_flight, 0);
}

#[tokio::test]
async fn a_settle_that_panics_holds_nothing_any_more_and_one_result_fails_alone() {
    let (database, db) = Database::start(Uuid::nil()).await;
    let mut settling = settling(db);
    let steps: [Uuid; 2] = std::array::from_fn(|_| Uuid::now_v7());
    let runs: [Uuid; 2] = std::array::from_fn(|_| Uuid::now_v7());
    let sent: Vec<StepResult> = std::iter::zip(runs, steps).map(|(run, step)| result(run, step)).collect();
    settling.runs_in_flight.extend(runs);
    settling.capacity_in_flight += 5;
    settling.in_flight.spawn(SettleReply::of(sent, None, 5, 0, |_| async { panic!("a bug") }));

    let reply = settling.next_reply().await.expect("in flight");
    assert!(settling.receive(reply).is_none());
    assert_eq!((settling.capacity_in_flight, settling.runs_in_flight.len(), settling.in_flight.len()), (0, 0, 0));
    while !settling.is_idle() {
        settling.send(false, 0, 0);
        match settling.next_reply().await {
            Some(reply) => assert!(settling.receive(reply).is_some()),
            None => tokio::time::sleep_until(settling.backoff_until().expect("it waits for another try")).await,
        }
    }
    assert_eq!(database.batches.lock().expect("the lock is never poisoned").iter().map(Vec::len).collect::<Vec<_>>(), [1, 1]);

    // The one that is alone has the fault.
    let alone = vec![result(runs[0], steps[0])];
    settling.in_flight.spawn(SettleReply::of(alone, None, 0, 0, |_| async { panic!("a bug") }));
    let reply = settling.next_reply().await.expect("in flight");
    assert!(settling.receive(reply).is_none());
    assert!(matches!(&settling.results[..], [one] if one.step == steps[0] && matches!(one.outcome, Outcome::Failed(_))));
}
