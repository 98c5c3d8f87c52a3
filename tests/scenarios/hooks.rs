use std::time::{Duration, Instant};

use nofx_shared::hooks::{WebhookProvider, sign, verify};
use nofx_tests::plans::plan;
use nofx_tests::receiver::{ReceivedRequest, Receiver};
use nofx_tests::stack::STACK;
use nofx_tests::{Person, Tenant, WAIT_LIMIT};
use reqwest::Method;
use serde_json::{Value, json};

fn noop() -> Value {
    plan(vec![json!({"name": "a", "tool": "noop"})])
}

/// Sets a hook that posts to a receiver; its secret.
async fn set(admin: &Person, name: &str, phase: &str, filter: &str, url: &str) -> String {
    let hook = json!({"name": name, "phase": phase, "filter": filter, "target": {"kind": "webhook", "url": url}});
    let (status, made) = admin.post("/api/hooks", hook).await;
    assert_eq!(status, 200, "{made}");
    made["secret"].as_str().expect("a secret").to_owned()
}

fn is_signed(received: &ReceivedRequest, secret: &str) -> bool {
    let now = chrono::Utc::now().timestamp();
    verify(WebhookProvider::Standard, |name| Some(received.header(name)), &received.bytes, now, &[secret.to_owned()]).is_ok()
}

#[tokio::test]
async fn events_are_delivered_signed_in_order_and_again_until_they_are_received() {
    let tenant = Tenant::new().await;
    tenant.allow_loopback().await;
    let (admin, receiver) = (tenant.admin(), Receiver::start().await);
    receiver.answer(500, "not now");
    let secret = set(&admin, "runs", "background", "event.type == 'run.succeeded'", &receiver.url).await;
    let run = tenant.contributor().run(noop()).await;
    let received = receiver.wait(2).await;
    assert!(received.iter().all(|one| is_signed(one, &secret)), "Standard Webhooks");
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"), "the same id for every attempt");
    let event = received[1].body();
    assert_eq!((event["type"].as_str(), &event["runid"], event["specversion"].as_str()), (Some("run.succeeded"), &run["id"], Some("1.0")));
    assert!(event["correlationid"].is_string(), "{event}");

    let delivered = async || {
        let begin = Instant::now();
        loop {
            let (_, page) = tenant.supervisor().get("/api/hooks/deliveries?status=delivered").await;
            if page["data"].as_array().is_some_and(|rows| !rows.is_empty()) || begin.elapsed() > WAIT_LIMIT {
                return page["data"][0].clone();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let delivery = delivered().await;
    let statuses: Vec<_> = delivery["attempts"].as_array().expect("tries").iter().map(|one| one["status"].as_u64()).collect();
    assert_eq!((statuses, delivery["attempts"][0]["response"].as_str()), (vec![Some(500), Some(200)], Some("not now")), "{delivery}");

    let replay = format!("/api/hooks/deliveries/{}/replay", delivery["id"].as_str().expect("an id"));
    assert_eq!(tenant.supervisor().post(&replay, json!({})).await.0, 202);
    // No step is settled now: the sweep finds it.
    let received = receiver.wait(3).await;
    assert_eq!(received[2].header("webhook-id"), received[0].header("webhook-id"), "who received it knows that it is the same");
}

#[tokio::test]
async fn no_hook_reaches_a_private_address_or_follows_there() {
    let tenant = Tenant::new().await;
    let (admin, receiver) = (tenant.admin(), Receiver::start().await);
    let port = receiver.url.rsplit(':').next().expect("a port").to_owned();
    for (n, host) in ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"].iter().enumerate() {
        set(&admin, &format!("h{n}"), "background", "event.type == 'run.succeeded'", &format!("http://{host}:{port}")).await;
    }
    set(&admin, "pre", "pre", "request.body.plan.goal == 'asked'", &receiver.url).await;
    tenant.contributor().run(noop()).await;
    let mut asked = noop();
    asked["goal"] = json!("asked");
    let (status, problem) = tenant.contributor().post("/api/runs", json!({"plan": asked})).await;
    assert!(status == 403 && problem["detail"].as_str().is_some_and(|detail| detail.contains("private address")), "{problem}");
    let begin = Instant::now();
    loop {
        let (_, page) = tenant.supervisor().get("/api/hooks/deliveries").await;
        let rows = page["data"].as_array().expect("rows").clone();
        let tried: Vec<_> = rows.iter().filter_map(|row| row["attempts"][0]["error"].as_str()).collect();
        if tried.len() == 6 {
            assert!(tried.iter().all(|error| error.contains("private address")), "{tried:?}");
            break;
        }
        assert!(begin.elapsed() < WAIT_LIMIT, "{page}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(receiver.received().is_empty(), "no request came");

    // Two that are allowed and redirect, one to an allowed address and one to a private one: no redirect is followed.
    tenant.allow_loopback().await;
    let (near, far, beyond) = (Receiver::start().await, Receiver::start().await, Receiver::start().await);
    let forbidden = std::net::TcpListener::bind("127.0.0.2:0").expect("a port");
    forbidden.set_nonblocking(true).expect("set");
    near.sends_on_to(&beyond.url);
    far.sends_on_to(&format!("http://{}", forbidden.local_addr().expect("an address")));
    for (name, redirects) in [("near", &near), ("far", &far)] {
        set(&admin, name, "background", "event.type == 'run.succeeded'", &redirects.url).await;
    }
    tenant.contributor().run(noop()).await;
    let begin = Instant::now();
    loop {
        let (_, page) = tenant.supervisor().get("/api/hooks/deliveries").await;
        let redirected = |row: &&Value| row["attempts"].as_array().is_some_and(|tries| tries.iter().any(|one| one["status"] == 302));
        let rows: Vec<_> = page["data"].as_array().expect("rows").iter().filter(redirected).collect();
        if rows.len() == 2 {
            assert!(rows.iter().all(|row| row["status"] != "delivered"), "{rows:?}");
            break;
        }
        assert!(begin.elapsed() < WAIT_LIMIT, "{page}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(beyond.received().is_empty() && forbidden.accept().is_err(), "a redirect was followed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_receiver_with_ten_thousand_deliveries_delays_no_other() {
    let (tenant, other) = (Tenant::new().await, Tenant::new().await);
    let (dead, own, theirs) = (Receiver::start().await, Receiver::start().await, Receiver::start().await);
    dead.always(200, "", Duration::from_secs(600));
    tenant.allow_loopback().await;
    other.allow_loopback().await;
    set(&tenant.admin(), "dead", "background", "event.type == 'run.paused'", &dead.url).await;
    let backlog = "insert into nofx.hook_delivery (id, tenant_id, hook_id, dedup_key, body, next_at)
        select nofx_private.uuid_v7(), h.tenant_id, h.id, n::text, '{}', now() - interval '1 hour'
          from nofx.hook h, generate_series(1, 10000) as n where h.tenant_id = $1";
    let sql = STACK.sql().await;
    sql.execute(backlog, &[&tenant.id]).await.expect("a backlog");
    dead.wait(4).await;

    let filter = "event.type == 'run.succeeded'";
    set(&tenant.admin(), "own", "background", filter, &own.url).await;
    set(&other.admin(), "theirs", "background", filter, &theirs.url).await;
    for _ in 0..3 {
        tenant.contributor().run(noop()).await;
        other.contributor().run(noop()).await;
    }
    for receiver in [&own, &theirs] {
        receiver.wait(3).await;
    }
    // One that ended made room for another, and none has been received.
    let counts = "select (select count(*) from nofx.hook_attempt a where a.delivery_id in (select d.id from nofx.hook_delivery d where d.hook_id = h.id)),
            (select count(*) from nofx.hook_delivery d where d.hook_id = h.id and d.status = 'pending')
        from nofx.hook h where h.tenant_id = $1 and h.name = 'dead'";
    let row = sql.query_one(counts, &[&tenant.id]).await.expect("counts");
    let (ended, pending): (i64, i64) = (row.get(0), row.get(1));
    assert_eq!(pending, 10_000);
    assert!(dead.received().len() <= 4 + usize::try_from(ended).expect("few"), "{} requests, {ended} ended", dead.received().len());
    sql.execute("delete from nofx.hook where tenant_id = $1", &[&tenant.id]).await.expect("deleted");
}

#[tokio::test]
async fn a_function_that_takes_longer_than_five_seconds_is_stopped() {
    let tenant = Tenant::new().await;
    let name = format!("slow_{}", tenant.id.simple());
    // Less than what PostgREST allows any call.
    let make = format!(
        "create table nofx_hooks.{name}_done (at timestamptz);
         create function nofx_hooks.{name}(p jsonb) returns jsonb language sql as $$
           insert into nofx_hooks.{name}_done values (now()); select pg_sleep(6.5); select p $$"
    );
    let sql = STACK.sql().await;
    sql.batch_execute(&make).await.expect("an operator's function");
    let arguments = json!({"p_name": name, "p_tenant": tenant.id, "p_payload": {}});
    let called = nofx_tests::people::service().call::<_, Value>("call_hook_function", &arguments).await;
    let error = called.expect_err("it is stopped").to_string();
    assert!(error.contains("57014"), "{error}");
    let count: i64 = sql.query_one(&format!("select count(*) from nofx_hooks.{name}_done"), &[]).await.expect("a count").get(0);
    assert_eq!(count, 0, "what it did is undone");
}

mod every_host {
    use super::*;

    #[tokio::test]
    async fn a_hook_before_a_request_says_no_and_silence_is_no() {
        let tenant = Tenant::new().await;
        tenant.allow_loopback().await;
        let (admin, person, receiver) = (tenant.admin(), tenant.contributor(), Receiver::start().await);
        let filter = "request.path == '/api/runs' && request.body.plan.goal != 'fine'";
        let secret = set(&admin, "freeze", "pre", filter, &receiver.url).await;

        receiver.always(200, "{\"allow\": false, \"reason\": \"the freeze holds until monday\"}", Duration::ZERO);
        let (status, problem) = person.post("/api/runs", json!({"plan": noop()})).await;
        assert_eq!((status.as_u16(), problem["type"].as_str()), (403, Some("https://nofx.dev/problems/hook-denied")), "{problem}");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("freeze") && detail.contains("until monday")), "{problem}");
        let asked = receiver.received().remove(0);
        assert!(is_signed(&asked, &secret) && asked.body()["request"]["body"]["plan"]["goal"] == noop()["goal"]);
        assert_eq!(person.get("/api/runs").await.1["data"], json!([]), "nothing was made");

        receiver.always(200, "", Duration::ZERO);
        assert_eq!(person.post("/api/runs", json!({"plan": noop()})).await.0, 201);
        // No response for longer than any caller waits.
        receiver.always(200, "", Duration::from_secs(600));
        assert_eq!(person.post("/api/runs", json!({"plan": noop()})).await.0, 403, "it must be asked");
        let mut fine = noop();
        fine["goal"] = json!("fine");
        assert_eq!(person.post("/api/runs", json!({"plan": fine})).await.0, 201, "it is not for this one");
    }

    #[tokio::test]
    async fn hooks_after_requests_start_tools_and_call_functions() {
        let tenant = Tenant::new().await;
        let (admin, person) = (tenant.admin(), tenant.contributor());
        let name = format!("note_{}", tenant.id.simple());
        let make = format!(
            "create table nofx_hooks.{name}_heard (body jsonb);
             create function nofx_hooks.{name}(p jsonb) returns jsonb language sql as $$
               insert into nofx_hooks.{name}_heard values (p); select '{{}}'::jsonb $$"
        );
        STACK.sql().await.batch_execute(&make).await.expect("an operator's function");
        let set = async |hook: Value| {
            let (status, made) = admin.post("/api/hooks", hook).await;
            assert_eq!(status, 200, "{made}");
        };
        set(json!({"name": "refusals", "phase": "error", "target": {"kind": "function", "name": name}})).await;
        let script = "node -e 'const event = JSON.parse(process.env.NOFX_EVENT); console.log(event.type, event.request.body.plan.goal)'";
        let filter = "request.path == '/api/runs'";
        set(json!({"name": "runs", "phase": "post", "filter": filter, "target": {"kind": "tool", "tool": "bash", "inputs": {"script": script}}})).await;

        assert_eq!(person.post("/api/runs", json!({"plan": {"goal": "bad", "steps": []}})).await.0, 422);
        // The request's content is data: expressions in it are not evaluated for the step that is started.
        let mut plan = noop();
        plan["goal"] = json!("${{ no expression( }} but a goal");
        person.run(plan).await;
        let begin = Instant::now();
        let started = loop {
            let (_, page) = person.get("/api/runs?goal=hook runs").await;
            if let Some(run) = page["data"].as_array().and_then(|runs| runs.first()) {
                break run["id"].as_str().expect("an id").to_owned();
            }
            assert!(begin.elapsed() < WAIT_LIMIT, "the hook started nothing");
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        let run = person.end(&started).await;
        assert_eq!(
            (run["status"].as_str(), run["steps"][0]["outputs"]["stdout"].as_str()),
            (Some("succeeded"), Some("request.post ${{ no expression( }} but a goal\n")),
            "{run}"
        );
        let text = format!("select body ->> 'type', body -> 'request' ->> 'status' from nofx_hooks.{name}_heard");
        let sql = STACK.sql().await;
        let begin = Instant::now();
        let row = loop {
            if let Some(row) = sql.query_opt(&text, &[]).await.expect("no more than one") {
                break row;
            }
            assert!(begin.elapsed() < WAIT_LIMIT, "the refusal was not delivered");
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        assert_eq!((row.get::<_, String>(0).as_str(), row.get::<_, String>(1).as_str()), ("request.error", "422"));
    }

    #[tokio::test]
    async fn a_replay_under_a_key_asks_no_hook_and_starts_no_second_run() {
        let tenant = Tenant::new().await;
        tenant.allow_loopback().await;
        let (admin, person, receiver) = (tenant.admin(), tenant.contributor(), Receiver::start().await);
        let filter = "request.path == '/api/runs'";
        receiver.always(200, "{\"allow\": false, \"reason\": \"not yet\"}", Duration::ZERO);
        set(&admin, "asked", "pre", filter, &receiver.url).await;
        let told = json!({"name": "told", "phase": "post", "filter": filter, "target": {"kind": "tool", "tool": "noop"}});
        assert_eq!(admin.post("/api/hooks", told).await.0, 200);
        let submit = async || {
            let request = person.request(Method::POST, "/api/runs").header("idempotency-key", "once");
            nofx_tests::people::answer(request.json(&json!({"plan": noop()}))).await
        };

        // A refusal did nothing: the request may be sent again, and is asked about under the same id.
        assert_eq!((submit().await.0.as_u16(), submit().await.0.as_u16()), (403, 403));
        receiver.always(200, "", Duration::ZERO);
        let (status, run) = submit().await;
        assert_eq!(status, 201, "{run}");
        let asked = receiver.received();
        let ids: std::collections::HashSet<&str> = asked.iter().map(|one| one.header("webhook-id")).collect();
        assert_eq!((asked.len(), ids.len()), (3, 1));

        // The row of a hook that is told is there before the response, and once.
        let count = async || {
            let text = "select count(*) from nofx.hook_delivery d join nofx.hook h on h.id = d.hook_id where h.tenant_id = $1";
            STACK.sql().await.query_one(text, &[&tenant.id]).await.expect("a count").get::<_, i64>(0)
        };
        assert_eq!(count().await, 1);
        for _ in 0..3 {
            let (status, again) = submit().await;
            assert_eq!((status.as_u16(), &again), (201, &run), "what was answered");
        }
        assert_eq!((receiver.received().len(), count().await), (3, 1), "nothing was called");

        // Without a key each request is another one.
        assert_eq!(person.post("/api/runs", json!({"plan": noop()})).await.0, 201);
        assert_eq!((receiver.received().len(), count().await), (4, 2));
        let begin = Instant::now();
        loop {
            let (_, page) = person.get("/api/runs?goal=hook told").await;
            let started = page["data"].as_array().map_or(0, Vec::len);
            assert!(started <= 2, "{page}");
            if started == 2 {
                break;
            }
            assert!(begin.elapsed() < WAIT_LIMIT, "{page}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    #[tokio::test]
    async fn a_webhook_that_is_received_becomes_an_event_once() {
        let tenant = Tenant::new().await;
        let (admin, viewer) = (tenant.admin(), tenant.viewer());
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"; // nofx:allow-secret of the specification
        let (status, source) = admin.post("/api/hooks/sources", json!({"name": "deploys", "provider": "standard", "secret": secret})).await;
        assert_eq!(status, 200, "{source}");
        let path = format!("/api/webhooks/sources/{}", source["id"].as_str().expect("an id"));
        let body = "{\"type\":\"deploy.done\",\"n\":1}";
        let at = chrono::Utc::now().timestamp();
        let send = async |signature: &str, id: &str, at: i64| {
            let request = Person::with_token("").request(Method::POST, &path).header("webhook-id", id).header("webhook-timestamp", at);
            nofx_tests::people::answer(request.header("webhook-signature", signature).body(body)).await
        };
        let secrets = [secret.to_owned()];
        let good = sign(&secrets, "msg_1", at, body);
        assert_eq!(send(&good, "msg_1", at).await, (reqwest::StatusCode::OK, json!({"duplicate": false})));
        assert_eq!(send(&good, "msg_1", at).await.1, json!({"duplicate": true}), "the same again");
        assert_eq!(send(&good, "msg_2", at).await.0, 401, "another id under its signature");
        assert_eq!(send(&sign(&secrets, "msg_3", at - 400, body), "msg_3", at - 400).await.0, 401, "an old one");
        let received = viewer.events("types=webhook.received", 1).await;
        assert_eq!(
            (received.len(), &received[0]["data"]["body"]["n"], received[0]["data"]["kind"].as_str()),
            (1, &json!(1), Some("deploy.done"))
        );
    }
}
