//! `POST /api/internal/execute` as whoever has no right to it meets it, and as a worker does whose connections break: each test is the worker
//! of a stack that has none.

use std::time::Duration;

use nofx_shared::crypto::FunctionKey;
use nofx_shared::function_calls::{FUNCTION_CALL_BYTES, FunctionCall, SIGNATURE_HEADER};
use nofx_tests::function::{ByHand, again, call, work};
use nofx_tests::receiver::Receiver;
use serde_json::{Value, json};
use uuid::Uuid;

fn slug(problem: &Value) -> &str {
    problem["type"].as_str().and_then(|uri| uri.rsplit('/').next()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_no_worker_sent_a_moment_ago_is_refused_and_nothing_is_executed() {
    let (there, receiver) = (ByHand::start("function-refused"), Receiver::start().await);
    let inputs = json!({"url": receiver.url});
    let claim = there.claim("http", inputs.clone()).await;
    let good = call(&claim, work(&inputs));
    let body = serde_json::to_vec(&good).expect("JSON");
    let other_key: FunctionKey = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".parse().expect("a key");
    let signature = there.key.sign(&body);
    let mut altered = body.clone();
    let at = altered.windows(4).position(|four| four == b"http").expect("an address");
    altered[at] = b'H';
    for (body, signature) in [
        (&body, String::new()),
        (&body, "v1=".to_owned()),
        (&body, signature.replace("v1=", "")),
        (&body, other_key.sign(&body)),
        (&altered, signature.clone()),
        (&vec![], signature.clone()),
        (&b"not JSON".to_vec(), signature.clone()),
    ] {
        let (status, problem) = there.post(body, &signature).await;
        assert_eq!((status, slug(&problem)), (401, "unauthorized"), "{signature}: {problem}");
    }
    // Credentials of people and operators are none of a worker.
    let dev = there.own.dev();
    for (name, value) in [
        ("authorization", format!("Bearer {}", dev["tokens"]["admin"].as_str().expect("a token"))),
        ("x-internal-api-key", dev["internal_api_key"].as_str().expect("a key").to_owned()),
    ] {
        let answer = nofx_shared::net::client().post(&there.url).header(name, value).body(body.clone()).send().await.expect("an answer");
        assert_eq!(answer.status(), 401, "{name}");
    }
    for issued_at in [good.issued_at - 70, good.issued_at + 60, 0, i64::MIN, i64::MAX] {
        let (status, problem) = there.call(&FunctionCall { issued_at, ..again(&good) }).await;
        assert_eq!((status, slug(&problem)), (401, "unauthorized"), "{issued_at}: {problem}");
    }
    assert_eq!((there.begun().await, receiver.received().len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_call_of_what_the_step_is_not_is_refused_and_nothing_is_executed() {
    let (there, receiver) = (ByHand::start("function-wrong"), Receiver::start().await);
    let inputs = json!({"url": receiver.url});
    let good = call(&there.claim("http", inputs.clone()).await, work(&inputs));
    let neighbour = call(&there.claim("noop", json!({})).await, work(&json!({})));
    let call_of = |change: &dyn Fn(&mut FunctionCall)| {
        let mut call = again(&good);
        change(&mut call);
        call
    };
    let stale = [
        call_of(&|call| call.token = Uuid::now_v7()),
        call_of(&|call| call.token = neighbour.token),
        call_of(&|call| call.tenant_id = Uuid::now_v7()),
        call_of(&|call| call.run_id = neighbour.run_id),
        call_of(&|call| call.step_id = neighbour.step_id),
        call_of(&|call| call.attempt = 2),
        // It runs another tool.
        call_of(&|call| (call.tool, call.work) = ("noop".to_owned(), work(&json!({})))),
    ];
    for call in stale {
        let (status, problem) = there.call(&call).await;
        assert_eq!((status, slug(&problem)), (409, "lease-expired"), "{call:?}: {problem}");
    }
    for call in [
        call_of(&|call| call.tool = "bash".to_owned()),
        call_of(&|call| call.tool = "gate:unit".to_owned()),
        call_of(&|call| call.tool = String::new()),
        call_of(&|call| call.timeout_s = 46),
        call_of(&|call| call.timeout_s = 0),
        call_of(&|call| call.work = json!(null)),
        call_of(&|call| call.work = json!([])),
        call_of(&|call| call.work = json!({"shell": "id"})),
        call_of(&|call| call.work = json!({"tool": {"inputs": {}}, "model": {}})),
        call_of(
            &|call| call.work = json!({"model": {"task": "docs", "system": null, "prompt": "p", "schema": null, "max_tokens": 1, "timeout": {"secs": 1, "nanos": 0}, "order": []}}),
        ),
    ] {
        let (status, problem) = there.call(&call).await;
        assert_eq!((status, slug(&problem)), (422, "invalid-plan"), "{call:?}: {problem}");
    }
    let whole = serde_json::to_value(&good).expect("JSON");
    let with = |name: &str, value: Value| {
        let mut body = whole.clone();
        body[name] = value;
        body.to_string()
    };
    let texts = [
        (String::new(), 400),
        ("not JSON".to_owned(), 400),
        ("[]".to_owned(), 422),
        ("{}".to_owned(), 422),
        (with("step_id", json!("x")), 422),
        (with("attempt", json!(-1)), 422),
        (with("attempt", json!(u64::MAX)), 422),
        (with("nonce", json!(null)), 422),
        (with("issued_at", json!("now")), 422),
        (with("more", json!(1)), 422),
        (whole.to_string().replacen('{', "{\"attempt\": 1, ", 1), 400),
        (with("work", serde_json::from_str(&format!("{}1{}", "[".repeat(64), "]".repeat(64))).expect("JSON")), 400),
        (with("work", json!("x".repeat(FUNCTION_CALL_BYTES))), 413),
    ];
    for (text, expected) in texts {
        let (status, problem) = there.post(text.as_bytes(), &there.key.sign(text.as_bytes())).await;
        assert_eq!(status, expected, "{}: {problem}", &text[..text.len().min(200)]);
    }
    assert_eq!((there.begun().await, receiver.received().len()), (0, 0));
    // All of this time the call itself would have been executed.
    let (status, answer) = there.call(&good).await;
    assert_eq!((status, &answer["executed"]["done"]["outputs"]["status"], receiver.received().len()), (200, &json!(200), 1), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_connection_broke_is_executed_once_and_answered_to_whoever_calls_again() {
    let (there, receiver) = (ByHand::start("function-once"), Receiver::start().await);
    receiver.always(200, "done", Duration::from_secs(2));
    let inputs = json!({"url": receiver.url});
    let first = call(&there.claim("http", inputs.clone()).await, work(&inputs));
    let body = serde_json::to_vec(&first).expect("JSON");
    let request = nofx_shared::net::client().post(&there.url).header(SIGNATURE_HEADER, there.key.sign(&body)).body(body.clone());
    let sent = tokio::spawn(request.send());
    receiver.wait(1).await;
    // The connection is cut while it is executed.
    sent.abort();
    let (status, problem) = there.post(&body, &there.key.sign(&body)).await;
    assert_eq!((status, slug(&problem)), (401, "unauthorized"), "the same request again is a replay: {problem}");
    let answer = loop {
        match there.call(&again(&first)).await {
            (409, problem) => assert_eq!(slug(&problem), "request-in-progress"),
            (200, answer) => break answer,
            other => panic!("{other:?}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(answer["executed"]["done"]["outputs"]["body"], "done");
    assert_eq!(there.call(&again(&first)).await, (200, answer.clone()), "and whenever it calls");
    assert_eq!(receiver.received().len(), 1);

    // Its worker dies; the next attempt gets the answer of the first.
    there.own.end_leases("true").await;
    let (status, problem) = there.call(&again(&first)).await;
    assert_eq!((status, slug(&problem)), (409, "lease-expired"), "{problem}");
    let claim = there.claimed().await;
    assert_eq!(claim["attempt"], 2);
    let next = FunctionCall { attempt: 2, ..call(&claim, work(&inputs)) };
    assert_eq!((there.call(&next).await, receiver.received().len()), ((200, answer), 1));
    // With other inputs it is another call.
    let other = FunctionCall { work: work(&json!({"url": receiver.url, "method": "POST"})), ..again(&next) };
    assert_eq!((there.call(&other).await.0, receiver.received().len()), (200, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_runs_elsewhere_is_not_executed_here() {
    let there = ByHand::start("function-elsewhere");
    there.own.submit(&json!({"goal": "x", "steps": [{"name": "a", "tool": "noop"}]})).await;
    let (status, problem) = there.call(&call(&there.claimed().await, work(&json!({})))).await;
    assert_eq!((status, slug(&problem)), (403, "forbidden"), "{problem}");
}
