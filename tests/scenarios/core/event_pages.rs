//! Pages of the event log by their size.

use nofx_tests::Tenant;
use nofx_tests::stack::STACK;
use serde_json::Value;

#[tokio::test]
async fn large_events_come_in_more_pages_and_each_once() {
    let tenant = Tenant::new().await;
    let insert = "insert into nofx.event (tenant_id, type, data) select $1, 'large' || n, jsonb_build_object('a', repeat('x', 600000)) from generate_series(1, 5) as n";
    STACK.sql().await.execute(insert, &[&tenant.id]).await.expect("written");
    let viewer = tenant.viewer();
    // Until no transaction of another test is open that could still write before them.
    let begun = std::time::Instant::now();
    while viewer.get("/api/events?types=large1,large5&limit=2").await.1["data"].as_array().is_none_or(|found| found.len() < 2) {
        assert!(begun.elapsed() < nofx_tests::WAIT_LIMIT, "the events are not shown");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let (mut pages, mut after) = (vec![], "0-0".to_owned());
    loop {
        let (_, page) = viewer.get(&format!("/api/events?limit=100&after={after}")).await;
        let events = page["data"].as_array().expect("events");
        pages.push(events.iter().map(|event| event["type"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>());
        match &page["next_cursor"] {
            Value::String(next) => after.clone_from(next),
            _ => break,
        }
    }
    assert_eq!(pages, [vec!["large1", "large2"], vec!["large3", "large4"], vec!["large5"]]);
}
