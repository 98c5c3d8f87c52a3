//! What a call becomes, from what a function's host sends: each test has a host of its own that answers as it says.

use std::sync::{Arc, Mutex};

use base64::Engine;
use nofx_shared::engine::Outcome;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::drivers::vercel_function::answer::Executed;

/// A request as it came: its head, and its body.
type Received = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

fn key() -> FunctionKey {
    base64::engine::general_purpose::STANDARD.encode([5; 32]).parse().expect("a key")
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}", body.len())
}

fn done() -> String {
    answer("200 OK", "", &json!({"executed": {"done": {"outputs": {"a": 1}}}, "breaker_target": "http:x"}).to_string())
}

fn problem(status: &str, slug: &str) -> String {
    let body = json!({"type": format!("https://nofx.dev/problems/{slug}"), "detail": "why it was"}).to_string();
    answer(status, "retry-after: 0\r\n", &body)
}

/// Sends the answers in order, one a connection, and the last to all that follow. An empty one closes the connection.
async fn host(answers: Vec<String>) -> (VercelFunction, Received) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let received = Received::default();
    let seen = Arc::clone(&received);
    tokio::spawn(async move {
        for turn in 0.. {
            let Ok((mut stream, _)) = listener.accept().await else { return };
            let request = Box::pin(read_request(&mut stream)).await;
            seen.lock().expect("not poisoned").push(request);
            drop(stream.write_all(answers[turn.min(answers.len() - 1)].as_bytes()).await);
        }
    });
    (VercelFunction::new(&FunctionEndpoint { url, key: key() }), received)
}

async fn read_request(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut bytes = vec![];
    loop {
        let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
        if let Some(end) = head {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok()).unwrap_or(0);
            if bytes.len() >= end + length {
                return (head, bytes[end..end + length].to_vec());
            }
        }
        let mut more = [0; 65_536];
        match stream.read(&mut more).await {
            Ok(read) if read > 0 => bytes.extend_from_slice(&more[..read]),
            _ => return (String::new(), bytes),
        }
    }
}

fn step(spec: &Value) -> ClaimedStep {
    let row = json!({
        "id": Uuid::from_u128(2), "run_id": Uuid::from_u128(1), "tenant_id": Uuid::from_u128(3), "name": "a", "tool": "http", "attempt": 4,
        "token": Uuid::from_u128(9), "ready_at": "2026-01-01T00:00:00Z", "goal": "", "created_by": "", "spec": spec,
    });
    serde_json::from_value(row).expect("a step")
}

async fn call(function: &VercelFunction, inputs: Value) -> Result<Answer, Failure> {
    function.call(&step(&json!({})), None, &Work::Tool { inputs, idempotency_key: None }).await
}

async fn failure(answers: Vec<String>) -> Failure {
    let (function, _) = host(answers).await;
    call(&function, json!({})).await.map(|answer| panic!("{answer:?}")).expect_err("it fails")
}

#[tokio::test]
async fn a_call_names_its_attempt_and_is_signed_and_its_answer_is_the_outcome() {
    let (function, received) = host(vec![done()]).await;
    let answer = call(&function, json!({"url": "https://a"})).await.expect("an answer");
    assert_eq!(answer.breaker_target.as_deref(), Some("http:x"));
    assert!(matches!(answer.executed, Executed::Done { .. }));
    assert_eq!(answer.executed.outcome(), Outcome::Done { outputs: json!({"a": 1}) });
    let (head, body) = received.lock().expect("not poisoned")[0].clone();
    assert!(head.starts_with("post /api/internal/execute http/1.1"), "{head}");
    let signature = head.split("x-nofx-signature: ").nth(1).and_then(|rest| rest.lines().next()).expect("a signature");
    assert!(FunctionKey::is_signed(&[key()], &body, signature));
    let sent: FunctionCall = serde_json::from_slice(&body).expect("a call");
    assert_eq!((sent.step_id, sent.attempt, sent.token, sent.timeout_s), (Uuid::from_u128(2), 4, Uuid::from_u128(9), 45));
    assert!(
        sent.is_current(Utc::now().timestamp()) && sent.work == json!({"tool": {"inputs": {"url": "https://a"}, "idempotency_key": null}})
    );
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_with_a_new_signature_until_it_is_there() {
    let under_way = problem("409 Conflict", "request-in-progress");
    let cut = format!("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{}", "{");
    let busy = problem("429 Too Many Requests", "rate-limited");
    let (function, received) = host(vec![String::new(), cut, busy, under_way, done()]).await;
    assert!(call(&function, json!({})).await.is_ok());
    let received = received.lock().expect("not poisoned");
    let calls: Vec<FunctionCall> = received.iter().map(|(_, body)| serde_json::from_slice(body).expect("a call")).collect();
    let mut nonces: Vec<Uuid> = calls.iter().map(|call| call.nonce).collect();
    nonces.sort_unstable();
    nonces.dedup();
    assert_eq!((calls.len(), nonces.len()), (5, 5), "each request is new");
    assert!(calls.iter().all(|call| call.work_hash() == calls[0].work_hash() && call.token == calls[0].token), "and all are one call");
}

#[tokio::test]
async fn a_function_that_does_not_answer_fails_the_attempt_for_now_and_not_the_tool() {
    for answers in [
        problem("503 Service Unavailable", "unavailable"),
        problem("504 Gateway Timeout", "timed-out"),
        answer("429 Too Many Requests", "retry-after: 0\r\n", "no"),
    ] {
        let failure = failure(vec![answers]).await;
        assert!(
            failure.transient && failure.ignored_by_breaker && failure.message.contains("no answer from the function: status"),
            "{failure:?}"
        );
    }
    // A wait that is longer than an attempt should hold a worker: the next attempt comes after it.
    let failure = failure(vec![answer("429 Too Many Requests", "retry-after: 60\r\n", "")]).await;
    assert_eq!((failure.transient, failure.wait_ms), (true, Some(60_000)));
}

#[tokio::test]
async fn what_cannot_become_better_fails_the_step_and_says_why() {
    let redirect = answer("307 Temporary Redirect", "location: http://127.0.0.1:9/api/internal/execute\r\n", "");
    let cases = [
        (redirect, "redirect (307 Temporary Redirect), which is not followed"),
        (problem("401 Unauthorized", "unauthorized"), "refused the call: 401 Unauthorized why it was"),
        (problem("422 Unprocessable Entity", "invalid-plan"), "refused the call: 422"),
        (answer("404 Not Found", "", "NOT_FOUND"), "refused the call: 404"),
        (answer("200 OK", "", "<html>"), "cannot be read"),
        (answer("200 OK", "", "{}"), "cannot be read"),
    ];
    for (answer, why) in cases {
        let (function, received) = host(vec![answer]).await;
        let failure = call(&function, json!({})).await.map(drop).expect_err("it fails");
        assert!(!failure.transient && failure.message.contains(why), "{failure:?}");
        assert_eq!(received.lock().expect("not poisoned").len(), 1, "{why}");
    }
    let failure = failure(vec![problem("409 Conflict", "lease-expired")]).await;
    assert_eq!(failure, Failure::lease_expired());
}

#[tokio::test]
async fn neither_side_of_a_call_is_larger_than_a_function_takes() {
    let (function, received) = host(vec![done()]).await;
    let failure = call(&function, json!("x".repeat(FUNCTION_CALL_BYTES))).await.map(drop).expect_err("too large");
    assert!(!failure.transient && failure.message.contains("a function takes 4194304"), "{failure:?}");
    assert!(received.lock().expect("not poisoned").is_empty(), "it was not sent");
    let endless = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", "x".repeat(FUNCTION_CALL_BYTES + 1));
    let (function, _) = host(vec![endless]).await;
    let failure = call(&function, json!({})).await.map(drop).expect_err("too large");
    assert!(!failure.transient && failure.message.contains("larger than 4194304 bytes"), "{failure:?}");
}

#[test]
fn a_function_ends_with_the_step_and_after_45_seconds_at_most() {
    for (spec, expected) in [(json!({}), 45), (json!({"timeout_s": 10}), 10), (json!({"timeout_s": 600}), 45), (json!({"timeout_s": 0}), 1)]
    {
        assert_eq!(VercelFunction::timeout_s(&step(&spec)), expected, "{spec}");
    }
}
