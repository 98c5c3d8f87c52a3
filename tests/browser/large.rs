//! A thousand steps: drawn, live, without a jump.

use nofx_tests::Tenant;
use nofx_tests::browser::{Browser, Look, weigh};
use nofx_tests::plans::{bash, step, until};
use nofx_tests::stack::target;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_steps_are_light_move_live_and_nothing_jumps() {
    let tenant = Tenant::new().await;
    let person = tenant.contributor();
    let mut steps: Vec<Value> = (0..999).map(|n| step(&format!("step {n}"), "noop", &[], json!({}))).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let watched = folder.path().join("watched");
    steps[0] = bash("step 0", &until(&watched));
    steps.push(step("last", "noop", &["step 0"], json!({})));
    let run = person.submit(json!({"goal": "a thousand", "steps": steps})).await;
    let bytes = weigh(&format!("/ui/runs/{run}"), &person).await.bytes;
    assert!(bytes < 60 << 10, "{} bytes over the wire", bytes);

    let browser = Browser::of(&person, Look::Light).await;
    browser.visit(&format!("/ui/runs/{run}")).await;
    assert_eq!(browser.driver.find_all(thirtyfour::By::Css(".waterfall .row")).await.expect("rows").len(), 1000);
    // How far anything moves by itself: https://web.dev/cls, by the browser's own count.
    browser.script("window.nofxShift = 0; new PerformanceObserver((list) => { for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.nofxShift += entry.value; }).observe({type: 'layout-shift', buffered: true})").await;
    // From commit to pixel: the event's own instant against the frame that shows it; both clocks are this machine's.
    browser.script("window.nofxSeen = null; const look = () => { if (document.querySelector('.waterfall [data-step=\"last\"][data-status=succeeded]')) window.nofxSeen = Date.now(); else requestAnimationFrame(look); }; look()").await;
    std::fs::write(watched, "").expect("written");
    person.end(&run).await;
    browser.find(".waterfall [data-step=\"last\"][data-status=succeeded]").await;
    browser.text("h1 .badge", "succeeded").await;
    let seen = browser.script("return window.nofxSeen").await.as_i64().expect("an instant");
    let (_, page) = person.get(&format!("/api/events?run_id={run}&types=step.succeeded&limit=100")).await;
    let emitted = page["data"].as_array().into_iter().flatten().find(|event| event["data"]["name"] == "last").cloned();
    let (_, timeline) = person.get(&format!("/api/runs/{run}/timeline")).await;
    let emitted = emitted.or_else(|| {
        timeline["data"].as_array()?.iter().find(|event| event["type"] == "step.succeeded" && event["data"]["name"] == "last").cloned()
    });
    let at = emitted.expect("an event")["time"].as_str().expect("a time").parse::<chrono::DateTime<chrono::Utc>>().expect("a time");
    let figures = json!({"steps": 1000, "bytes": bytes, "commit_to_pixel_ms": seen - at.timestamp_millis()});
    std::fs::create_dir_all(target().join("screenshots")).expect("a folder");
    std::fs::write(target().join("screenshots/figures.json"), figures.to_string()).expect("written");
    let shift = browser.script("return window.nofxShift").await.as_f64().expect("a number");
    assert!(shift < 0.1, "the page moved by {shift}");
    browser.close().await;
}
