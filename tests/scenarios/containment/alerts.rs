use nofx_tests::Tenant;
use nofx_tests::people::look;
use nofx_tests::receiver::Receiver;
use nofx_tests::stack::STACK;
use serde_json::json;

#[tokio::test]
async fn an_alert_goes_to_slack_once_and_so_does_its_end() {
    let tenant = Tenant::new().await;
    let (person, supervisor, admin) = (tenant.contributor(), tenant.supervisor(), tenant.admin());
    let receiver = Receiver::start().await;
    tenant.allow_loopback().await;
    let hook = json!({"name": "alerts", "phase": "background", "filter": "event.type.startsWith('alert.')", "target": {"kind": "slack", "url": receiver.url}});
    let (status, made) = admin.post("/api/hooks", hook).await;
    assert_eq!((status.as_u16(), &made["secret"]), (200, &json!(null)), "{made}");
    assert_eq!(supervisor.post("/api/alerts/rules", json!({"kind": "dlq_growth", "threshold": 1})).await.0, 204);

    let run =
        json!({"goal": "dead", "steps": [{"name": "f", "tool": "fail", "retry": {"max_attempts": 1}, "inputs": {"transient": true}}]});
    assert_eq!(person.run(run).await["status"], "failed");
    look().await;
    look().await;
    let received = receiver.wait(1).await;
    let text = received[0].body()["text"].as_str().expect("a text").to_owned();
    assert!(text.starts_with("*alert.raised*") && text.contains("kind: dlq_growth") && text.contains("value: 1"), "{text}");
    let (_, alerts) = person.get("/api/alerts").await;
    let open: Vec<_> = alerts["data"].as_array().expect("alerts").iter().filter(|alert| alert["kind"] == "dlq_growth").collect();
    assert_eq!(open.len(), 1, "raised once: {alerts}");
    let id = open[0]["id"].as_str().expect("an id");

    supervisor.post("/api/dlq/purge", json!({"all": true})).await;
    look().await;
    look().await;
    let received = receiver.wait(2).await;
    assert!(received[1].body()["text"].as_str().is_some_and(|text| text.starts_with("*alert.resolved*")));
    assert!(person.get(&format!("/api/alerts/{id}")).await.1["resolved_at"].is_string());
    // All its events were written by the last watch, and all their deliveries before the last one.
    let (_, events) = person.get("/api/events?types=alert.raised,alert.resolved").await;
    let deliveries = "select count(*) from nofx.hook_delivery where tenant_id = $1";
    let deliveries: i64 = STACK.sql().await.query_one(deliveries, &[&tenant.id]).await.expect("a count").get(0);
    assert_eq!((events["data"].as_array().map(Vec::len), deliveries), (Some(2), 2), "no one is notified twice: {events}");
}

#[tokio::test]
async fn an_approval_that_waits_too_long_names_who_could_decide_until_it_is_decided() {
    let tenant = Tenant::new().await;
    let (person, supervisor) = (tenant.contributor(), tenant.supervisor());
    assert_eq!(supervisor.post("/api/alerts/rules", json!({"kind": "approval_waiting", "threshold": 60})).await.0, 204);
    let ask = json!({"goal": "ask", "steps": [{"name": "one", "tool": "manual:x"}, {"name": "two", "tool": "manual:y", "needs": []}]});
    let run = person.submit(ask).await;
    let run = person.wait(&run, |run| run["gates"].as_array().is_some_and(|gates| gates.len() == 2)).await;
    let sql = STACK.sql().await;
    let known = "insert into nofx.person (tenant_id, id, email, role) values ($1, 's', 'sam@example.org', 'supervisor'), ($1, 'v', 'viv@example.org', 'viewer')";
    sql.execute(known, &[&tenant.id]).await.expect("people");
    sql.execute("update nofx.gate set created_at = now() - interval '1 minute' where tenant_id = $1", &[&tenant.id])
        .await
        .expect("a minute");
    look().await;
    let open = async || {
        let (_, alerts) = person.get("/api/alerts").await;
        let alerts = alerts["data"].as_array().expect("alerts").clone();
        alerts.into_iter().filter(|alert| alert["kind"] == "approval_waiting" && alert["resolved_at"].is_null()).collect::<Vec<_>>()
    };
    let both = open().await;
    assert_eq!(both.len(), 2, "a gate each: {both:?}");
    let alert = both.iter().find(|alert| alert["subject"] == run["gates"][0]["id"]).expect("the alert of the first gate");
    let gate = alert["subject"].as_str().expect("an id");
    assert_eq!((&alert["run_id"], &alert["link"]), (&run["id"], &json!(format!("/ui/approvals?gate={gate}"))), "{alert}");
    assert_eq!((&alert["details"]["role"], &alert["details"]["people"]), (&json!("supervisor"), &json!(["sam@example.org"])), "{alert}");
    let page = person.browse(reqwest::Method::GET, alert["link"].as_str().expect("a link")).send().await.expect("an answer");
    assert!(page.status() == 200 && page.text().await.expect("text").contains(gate), "the link leads to the gate");
    let page = person.browse(reqwest::Method::GET, "/ui/system").send().await.expect("an answer").text().await.expect("text");
    let id = alert["id"].as_str().expect("an id");
    assert!(page.contains(&format!("id=\"alert-{id}\"")) && page.contains("supervisor or higher: sam@example.org"), "{page}");

    assert_eq!(supervisor.post(&format!("/api/gates/{gate}/approve"), json!({})).await.0, 200);
    look().await;
    let left = open().await;
    assert!(left.len() == 1 && left[0]["subject"] != *gate, "the other gate still waits: {left:?}");
    let (_, events) = person.get("/api/events?types=alert.resolved").await;
    assert_eq!(
        events["data"].as_array().expect("events").iter().map(|event| &event["data"]["subject"]).collect::<Vec<_>>(),
        [&alert["subject"]]
    );
}

#[tokio::test]
async fn two_breakers_are_two_alerts() {
    let tenant = Tenant::new().await;
    let open = "insert into nofx.handler_health (tenant_id, target, state, probe_at, opened_at)
        select $1, target, 'open', now() + interval '1 hour', now() - interval '1 minute' from unnest(array['http:a', 'http:b']) as target";
    let sql = STACK.sql().await;
    sql.execute(open, &[&tenant.id]).await.expect("two breakers");
    look().await;
    let (_, alerts) = tenant.viewer().get("/api/alerts").await;
    let subjects = |alerts: &serde_json::Value| {
        let open = alerts["data"].as_array().expect("alerts").iter().filter(|alert| alert["resolved_at"].is_null());
        let mut subjects: Vec<String> = open.map(|alert| alert["subject"].as_str().expect("text").to_owned()).collect();
        subjects.sort();
        subjects
    };
    assert_eq!(subjects(&alerts), ["http:a", "http:b"]);
    assert_eq!(tenant.supervisor().post("/api/breakers", json!({"target": "http:a", "close": true})).await.0, 200);
    look().await;
    let (_, alerts) = tenant.viewer().get("/api/alerts").await;
    assert_eq!(subjects(&alerts), ["http:b"], "each is resolved by itself");
}
