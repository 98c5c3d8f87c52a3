//! Every page: rendered in light, dark and on a phone, checked by axe-core and html-validate.
#![expect(clippy::disallowed_methods, reason = "runs html-validate")]

use std::path::Path;

use nofx_local::auth::access_token;
use nofx_shared::auth::{record_sign_in, sign_for_api};
use nofx_shared::db::Db;
use nofx_tests::browser::{Browser, Look, weigh};
use nofx_tests::plans::step;
use nofx_tests::stack::{STACK, root};
use nofx_tests::{Person, Tenant};
use serde_json::json;
use uuid::Uuid;

/// A person who has signed in once, so that others see an email address.
async fn known(tenant: &Tenant, role: &str) -> Person {
    let email = format!("{role}@nofx.local");
    let id = Uuid::now_v7();
    let person = Person::with_token(access_token(STACK.get("jwt_secret"), id, &email, tenant.id, role, 3600));
    let role = serde_json::from_value(json!(role)).expect("a role");
    let token = sign_for_api(STACK.get("jwt_secret"), &id.to_string(), tenant.id, role, Some(&email));
    record_sign_in(&Db::new(STACK.get("rest_url"), STACK.get("anon_key"), token)).await.expect("noted");
    person
}

/// A tenant with a run of every kind, and the pages to look at.
async fn pages() -> (Tenant, Person, Vec<(&'static str, String)>) {
    let tenant = Tenant::new().await;
    let (author, supervisor) = (known(&tenant, "contributor").await, known(&tenant, "supervisor").await);
    let script = "printf '\\033[32mcompiling\\033[0m web\\n'; for n in 1 2 3; do echo line $n; done; echo '{\"items\": [1, 2, 3]}' > \"$NOFX_OUTPUT\"; \
        printf -- '--- a/price.rs\\n+++ b/price.rs\\n@@ -1,2 +1,2 @@\\n fn vat() -> u32 {\\n-    19\\n+    21\\n' > change.diff";
    let gated = json!({"goal": "release web 1.4.2 to production", "steps": [
        step("build", "bash", &[], json!({"script": script, "artifacts": ["change.diff"]})),
        step("unit tests", "sleep", &["build"], json!({"seconds": 0.3})),
        step("lint", "gate:lint", &["build"], json!({"command": "true"})),
        json!({"name": "each", "tool": "noop", "needs": ["build"], "for_each": "steps.build.outputs.items", "inputs": {}}),
        step("ship it", "manual:deploy", &["unit tests", "lint", "each"], json!({"question": "Ship web 1.4.2 to production?"})),
        step("deploy", "bash", &["ship it"], json!({"script": "echo deployed"})),
    ]});
    let gated = author.submit(gated).await;
    author.wait(&gated, |run| run["steps"].as_array().is_some_and(|steps| steps.iter().any(|step| step["waits_for"] == "gate"))).await;
    let broken = author
        .run(json!({"goal": "nightly import", "steps": [
            json!({"name": "fetch", "tool": "bash", "inputs": {"script": "echo fetched"}}),
            json!({"name": "import", "tool": "fail", "needs": ["fetch"], "retry": {"max_attempts": 3, "initial_ms": 100}, "inputs": {"transient": true}}),
            json!({"name": "report", "tool": "noop", "needs": ["import"], "inputs": {}}),
        ]}))
        .await;
    let decided = author
        .submit(json!({"goal": "rotate the keys", "steps": [step("ask", "manual:rotate", &[], json!({"question": "Rotate?"}))]}))
        .await;
    author.wait(&decided, |run| run["steps"][0]["waits_for"] == "gate").await;
    let (_, gates) = supervisor.get(&format!("/api/runs/{decided}/gates")).await;
    let gate = gates["data"][0]["id"].as_str().expect("a gate");
    supervisor.post(&format!("/api/gates/{gate}/reject"), json!({"reason": "not on a Friday"})).await;
    author.run(json!({"goal": "say hello", "steps": [step("greet", "noop", &[], json!({}))]})).await;
    let broken = broken["id"].as_str().expect("an id").to_owned();
    let pages = vec![
        ("runs", "/ui/runs".to_owned()),
        ("runs-failed", "/ui/runs?status=failed".to_owned()),
        ("runs-none", "/ui/runs?goal=nothing-is-called-that".to_owned()),
        ("run-waiting", format!("/ui/runs/{gated}?step=build")),
        ("run-graph", format!("/ui/runs/{gated}?view=graph")),
        ("run-events", format!("/ui/runs/{gated}?view=events")),
        ("run-plan", format!("/ui/runs/{gated}?view=plan")),
        ("run-failed", format!("/ui/runs/{broken}?step=import&idle=hide")),
        ("run-missing", "/ui/runs/00000000-0000-7000-8000-000000000000".to_owned()),
        ("new", "/ui/runs/new?example=gated".to_owned()),
        ("new-step", format!("/ui/runs/new?from={broken}&step=fetch")),
        ("approvals", "/ui/approvals".to_owned()),
        ("approvals-history", "/ui/approvals?history=1".to_owned()),
        ("artifacts", "/ui/artifacts".to_owned()),
        ("events", "/ui/events".to_owned()),
        ("system", "/ui/system".to_owned()),
        ("sign-in", "/ui/sign-in".to_owned()),
    ];
    (tenant, supervisor, pages)
}

/// Each page as it looks so: pictures of all, no finding of axe-core, and nothing wider than the window.
async fn can_be_read(look: Look) {
    let (_tenant, supervisor, pages) = pages().await;
    let mut wrong = vec![];
    let browser = Browser::of(&supervisor, look).await;
    for (name, path) in &pages {
        browser.visit(path).await;
        browser.find("main h1").await;
        if *name == "approvals" {
            browser.text(".diff [data-change=added]", "21").await;
            browser.text("h4", "gate:lint").await;
        }
        let name = format!("{name}-{}", format!("{look:?}").to_lowercase());
        browser.picture(&name).await;
        wrong.extend(browser.violations().await.into_iter().map(|what| format!("{name}: {what}")));
        let wide = browser.script("return document.documentElement.scrollWidth - document.documentElement.clientWidth").await;
        if wide.as_i64() > Some(0) {
            wrong.push(format!("{name}: the page is {wide} px wider than the window"));
        }
    }
    browser.close().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_can_be_read_by_everybody_in_light() {
    can_be_read(Look::Light).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_can_be_read_by_everybody_in_the_dark() {
    can_be_read(Look::Dark).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_can_be_read_by_everybody_on_a_phone() {
    can_be_read(Look::Phone).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_valid_html_of_little_weight_with_a_strict_policy() {
    let (_tenant, supervisor, pages) = pages().await;
    let folder = tempfile::tempdir().expect("a folder");
    let client = nofx_shared::net::client();
    for (name, path) in &pages {
        let weighed = weigh(path, &supervisor).await;
        assert_eq!(weighed.status, if *name == "run-missing" { 404 } else { 200 }, "{name}");
        assert!(weighed.policy.contains("script-src 'self'") && !weighed.policy.contains("unsafe"), "{name}: {}", weighed.policy);
        assert_eq!(weighed.encoding, "gzip", "{name}");
        assert!(weighed.bytes < 60 << 10, "{name} has {} bytes", weighed.bytes);
        let html = client.get(format!("{}{path}", STACK.get("api_url"))).bearer_auth(&supervisor.token).send().await.expect("an answer");
        let html = html.text().await.expect("text");
        assert!(!html.contains(" style=") && !html.contains("<script>"), "{name}: nothing inline");
        std::fs::write(folder.path().join(format!("{name}.html")), html).expect("written");
    }
    validate(folder.path());
}

/// Has html-validate look at a folder of pages.
fn validate(folder: &Path) {
    let config = root().join("tests/browser/htmlvalidate.json");
    let output = std::process::Command::new(root().join("node_modules/.bin/html-validate"))
        .args(["--formatter", "text", "--config"])
        .arg(config)
        .arg(folder)
        .output()
        .expect("html-validate runs");
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
}
