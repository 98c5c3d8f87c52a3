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
