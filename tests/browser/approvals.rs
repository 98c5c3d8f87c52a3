use nofx_tests::Tenant;
use nofx_tests::browser::{Browser, Look};
use nofx_tests::plans::step;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_that_someone_else_decides_is_not_replaced_by_another() {
    let tenant = Tenant::new().await;
    let (author, other) = (tenant.contributor(), tenant.supervisor());
    let mut gates = vec![];
    for question in ["The first?", "The second?"] {
        let run = author.submit(json!({"goal": "two", "steps": [step("ask", "manual:x", &[], json!({"question": question}))]})).await;
        let run = author.wait(&run, |run| run["gates"][0]["status"] == "pending").await;
        gates.push(run["gates"][0]["id"].as_str().expect("an id").to_owned());
    }
    let browser = Browser::of(&tenant.supervisor(), Look::Light).await;
    browser.visit("/ui/approvals").await;
    let open = browser.script("return document.querySelector('#approvals [data-gate]').dataset.gate").await;
    let decide = format!("/api/gates/{}/approve", open.as_str().expect("a gate"));
    let left = gates.iter().find(|gate| **gate != open).expect("the other gate");
    browser.find(".decide input[name=reason]").await.send_keys("I have read it").await.expect("typed");
    // As after Tab: a button has the focus, no text field.
    browser.script("document.querySelector('.decide button').focus()").await;
    assert_eq!(other.post(&decide, json!({"reason": "I was quicker"})).await.0, 200);
    browser.text(".card", "I was quicker").await;
    assert_eq!(browser.script("return document.querySelector('#approvals [data-gate]').dataset.gate").await, open);
    assert_eq!(browser.script("return document.querySelectorAll('form.decide').length").await, 0, "there is nothing to decide here");
    browser.press("a").await;
    browser.find(".queue a").await.click().await.expect("clicked");
    browser.find(&format!("[data-gate='{left}'] .decide")).await;
    assert_eq!(other.get(&format!("/api/gates/{left}")).await.1["status"], "pending");
    browser.close().await;
}
