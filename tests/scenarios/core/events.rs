use std::time::Duration;

use nofx_tests::plans::{plan, step};
use nofx_tests::stack::STACK;
use nofx_tests::{Person, Tenant, WAIT_LIMIT};
use reqwest::{Method, Response};
use serde_json::{Value, json};

/// An open stream: it sends the events that are written from now on.
async fn open(person: &Person, path: &str, last: Option<&str>) -> Response {
    let mut request = person.request(Method::GET, path);
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let response = request.send().await.expect("a stream");
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    response
}

/// Ids and types of a stream's events, until there are as many as wanted.
async fn follow(mut response: Response, wanted: usize) -> Vec<(String, String)> {
    let (mut text, mut found) = (String::new(), vec![]);
    let reading = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            text.push_str(&String::from_utf8_lossy(&chunk));
            while let Some((block, rest)) = text.split_once("\n\n") {
                let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned());
                if let (Some(id), Some(kind)) = (field("id:"), field("event:")) {
                    found.push((id, kind));
                }
                text = rest.to_owned();
            }
            if found.len() >= wanted {
                break;
            }
        }
    };
    tokio::time::timeout(WAIT_LIMIT, reading).await.expect("the events come");
    found
}

#[tokio::test]
async fn no_event_is_missed_when_transactions_commit_out_of_order() {
    let tenant = Tenant::new().await;
    let (mut first, second) = (STACK.sql().await, STACK.sql().await);
    let insert = "insert into nofx.event (tenant_id, type) values ($1, $2)";
    let open = first.transaction().await.expect("a transaction");
    open.execute(insert, &[&tenant.id, &"early"]).await.expect("written");
    second.execute(insert, &[&tenant.id, &"late"]).await.expect("written");
    let viewer = tenant.viewer();
    let (_, page) = viewer.get("/api/events").await;
    assert_eq!(page["data"], json!([]), "a reader must not pass the transaction that is still open");
    open.commit().await.expect("committed");
    let begin = std::time::Instant::now();
    loop {
        let (_, page) = viewer.get("/api/events").await;
        let types: Vec<&str> = page["data"].as_array().expect("events").iter().filter_map(|event| event["type"].as_str()).collect();
        if types == ["early", "late"] {
            return;
        }
        assert!(begin.elapsed() < WAIT_LIMIT, "{types:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_response_is_written_after_its_request() {
    let tenant = Tenant::new().await;
    let (mut claim, submit) = (STACK.sql().await, STACK.sql().await);
    let insert = "insert into nofx.event (tenant_id, type) values ($1, $2)";
    // A claim takes one step, and then sees another that was submitted meanwhile.
    let open = claim.transaction().await.expect("a transaction");
    open.execute(insert, &[&tenant.id, &"claimed one"]).await.expect("written");
    submit.execute(insert, &[&tenant.id, &"made two"]).await.expect("written");
    open.execute(insert, &[&tenant.id, &"claimed two"]).await.expect("written");
    open.commit().await.expect("committed");
    let emitted = "select array_agg(type order by tx, id) from nofx.event where tenant_id = $1";
    let emitted: Vec<String> = submit.query_one(emitted, &[&tenant.id]).await.expect("the log").get(0);
    assert_eq!(emitted, ["claimed one", "made two", "claimed two"]);
}

#[tokio::test]
async fn every_event_is_of_the_list_and_carries_where_it_came_from() {
    let person = Tenant::new().await.contributor();
    let plan = json!({"goal": "many", "steps": [
        {"name": "a", "tool": "noop", "needs": []}, {"name": "b", "tool": "fail", "needs": [], "on_failure": "continue", "retry": {"max_attempts": 2, "initial_ms": 10},
         "inputs": {"transient": true}}, {"name": "c", "tool": "bash", "needs": ["a"], "if": "false", "inputs": {"script": "true"}},
        {"name": "d", "tool": "sleep", "needs": [], "inputs": {"seconds": 1}}]});
    let request = person.request(reqwest::Method::POST, "/api/runs").header("x-request-id", "request-of-many").json(&json!({"plan": plan}));
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let (_, made) = nofx_tests::people::answer(request.header("traceparent", trace)).await;
    let run = person.end(made["id"].as_str().expect("an id")).await;
    let id = run["id"].as_str().expect("an id");
    let emitted = person.run_events(id).await;
    assert!(emitted.len() > 10, "{emitted:?}");
    for event in person.events(&format!("run_id={id}"), emitted.len()).await {
        assert_eq!((event["correlationid"].as_str(), &event["runid"]), (Some("request-of-many"), &run["id"]), "{event}");
        assert!(event["traceparent"].as_str().is_some_and(|text| text.contains("0af7651916cd43dd8448eb211c80319c")), "{event}");
        assert!(event["type"] != "step.started" || event["attempt"].is_u64(), "{event}");
    }
    // Including events of other tests.
    let rows = nofx_tests::stack::STACK
        .sql()
        .await
        .query(
            "select distinct on (type, md5(array_to_string(array(select jsonb_object_keys(data)), ' '))) type, data from nofx.event where type like '%.%'",
            &[],
        )
        .await;
    let rows = rows.expect("events");
    assert!(rows.len() > 8, "{} events", rows.len());
    for row in rows {
        let (kind, data): (String, Value) = (row.get(0), row.get(1));
        let read = serde_json::from_value::<nofx_shared::events::EventType>(json!({"type": kind, "data": data}));
        assert!(read.is_ok(), "{kind} {data}: {read:?}");
    }
}

mod every_host {
    use super::*;

    #[tokio::test]
    async fn a_stream_goes_on_where_it_was_without_loss_or_doubles() {
        let person = Tenant::new().await.contributor();
        let id = person.submit(plan(vec![step("a", "noop", &[], json!({})), step("b", "noop", &["a"], json!({}))])).await;
        let path = format!("/api/events/stream?run_id={id}");
        let all = follow(open(&person, &path, None).await, 7).await;
        let again = follow(open(&person, &path, Some(&all[2].0)).await, 4).await;
        assert_eq!(again, all[3..], "{all:?}");
        // The same without a run: the events that the tenant missed.
        let again = follow(open(&person, "/api/events/stream", Some(&all[2].0)).await, 4).await;
        assert_eq!(again, all[3..], "{all:?}");
    }

    #[tokio::test]
    async fn live_events_reach_a_stream_that_is_open() {
        let person = Tenant::new().await.contributor();
        let stream = open(&person, "/api/events/stream?types=run.created,run.succeeded", None).await;
        person.submit(plan(vec![step("a", "noop", &[], json!({}))])).await;
        let events = follow(stream, 2).await;
        assert_eq!(events.into_iter().map(|(_, kind)| kind).collect::<Vec<_>>(), ["run.created", "run.succeeded"]);
    }
}

#[tokio::test]
async fn a_stream_ends_when_its_key_is_revoked_and_a_caller_has_so_many() {
    let tenant = Tenant::new().await;
    let admin = tenant.admin();
    let (_, made) = admin.post("/api/keys", json!({"name": "streams", "role": "viewer"})).await;
    let person = Person::with_token(made["key"].as_str().expect("a key"));
    let mut streams = vec![];
    for _ in 0..32 {
        streams.push(open(&person, "/api/events/stream", None).await);
    }
    assert_eq!(person.get("/api/events/stream").await.0, 429);
    let other = open(&admin, "/api/events/stream", None).await;
    assert_eq!(other.status(), 200, "others have their own");
    let revoke = format!("/api/keys/{}", made["id"].as_str().expect("an id"));
    assert_eq!(admin.request(Method::DELETE, &revoke).send().await.expect("an answer").status(), 204);
    // Long before the 240 s after which any stream ends.
    for mut stream in streams {
        let ending = async {
            let mut text = String::new();
            while let Ok(Some(chunk)) = stream.chunk().await {
                text.push_str(&String::from_utf8_lossy(&chunk));
            }
            assert!(text.contains("event: reconnect"), "{text}");
        };
        tokio::time::timeout(Duration::from_secs(120), ending).await.expect("the stream ends with its key");
    }
    drop(other);
}
