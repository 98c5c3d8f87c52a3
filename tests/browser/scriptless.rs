use nofx_tests::Tenant;
use nofx_tests::browser::{Browser, Look};
use nofx_tests::plans::step;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn everything_works_without_script() {
    let tenant = Tenant::new().await;
    let author = tenant.contributor();
    let run = author
        .submit(json!({"goal": "no script", "steps": [step("ask", "manual:x", &[], json!({"question": "Go on?"})), step("go", "noop", &["ask"], json!({}))]}))
        .await;
    author.wait(&run, |run| run["steps"][0]["waits_for"] == "gate").await;
    let browser = Browser::of(&tenant.supervisor(), Look::Scriptless).await;
    browser.visit("/ui/runs").await;
    assert_eq!(browser.script("return typeof htmx").await, "undefined", "the page's scripts ran");
    browser.text(".runs a", "no script").await.click().await.expect("clicked");
    browser.text(".tabs a", "Graph").await.click().await.expect("clicked");
    browser.text(".graph .node", "ask").await.click().await.expect("clicked");
    browser.text("#drawer h2", "ask").await;
    browser.picture("run-scriptless").await;
    browser.text(".decide button", "Approve").await.click().await.expect("clicked");
    browser.text(".notice", "Approved.").await;
    author.end(&run).await;
    browser.visit(&format!("/ui/runs/{run}")).await;
    browser.text("h1 .badge", "succeeded").await;

    // A plan is submitted, and another one refused with the place.
    browser.visit("/ui/runs/new?example=hello").await;
    browser.text("button.primary", "Submit").await.click().await.expect("clicked");
    browser.text("h1", "say hello").await;
    browser.visit("/ui/runs/new").await;
    browser.find("#plan").await.send_keys("goal: x\nsteps:\n  - name: a\n    tool: nope\n").await.expect("typed");
    browser.text("button.primary", "Submit").await.click().await.expect("clicked");
    browser.text(".marked .fault", "nope").await;

    // Bulk: failed runs are retried, with a reason.
    let failed = author
        .run(json!({"goal": "fails", "steps": [json!({"name": "f", "tool": "fail", "retry": {"max_attempts": 1}, "inputs": {}})]}))
        .await;
    browser.visit("/ui/runs?status=failed").await;
    browser.find(".bulk input[name=reason]").await.send_keys("the network is back").await.expect("typed");
    browser.text(".bulk button", "Retry all matching runs").await.click().await.expect("clicked");
    browser.text(".notice", "Retried 1 of 1 runs").await;
    let (_, page) = author.get(&format!("/api/runs/{}/timeline", failed["id"].as_str().expect("an id"))).await;
    let emitted = page["data"].as_array().expect("events").iter().find(|event| event["type"] == "run.retried").expect("an event");
    assert_eq!(emitted["data"]["reason"], "the network is back");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_sees_everything_and_no_button_that_would_be_refused() {
    let tenant = Tenant::new().await;
    let author = tenant.contributor();
    let run = author.submit(json!({"goal": "look", "steps": [step("ask", "manual:x", &[], json!({"question": "Go on?"}))]})).await;
    author.wait(&run, |run| run["steps"][0]["waits_for"] == "gate").await;
    let browser = Browser::of(&tenant.viewer(), Look::Light).await;
    for path in [
        format!("/ui/runs/{run}?step=ask"),
        "/ui/runs".to_owned(),
        "/ui/approvals".to_owned(),
        "/ui/policies".to_owned(),
        "/ui/system".to_owned(),
        "/ui/runs/new?example=hello".to_owned(),
    ] {
        browser.visit(&path).await;
        browser.find("main h1").await;
        let buttons = browser
            .script(
                "return [...document.querySelectorAll('main form[method=post] button[type=submit]')].map((button) => button.textContent)",
            )
            .await;
        assert_eq!(buttons, json!([]), "{path}");
    }
    browser.visit("/ui/runs/new").await;
    browser.text("[role=alert]", "You need the contributor role to submit plans").await;
    browser.close().await;
}
