//! Forms: rights, tokens and refusals.

use nofx_tests::Tenant;
use nofx_tests::plans::{bash, plan, until};
use nofx_tests::receiver::Receiver;
use nofx_tests::stack::STACK;
use serde_json::json;

#[tokio::test]
async fn a_hook_that_says_no_to_a_request_says_no_to_the_form_as_well() {
    let tenant = Tenant::new().await;
    let (person, receiver) = (tenant.contributor(), Receiver::start().await);
    tenant.allow_loopback().await;
    let folder = tempfile::tempdir().expect("a folder");
    let run = person.submit(plan(vec![bash("s", &until(&folder.path().join("never")))])).await;
    person.wait(&run, |run| run["status"] == "running").await;
    receiver.always(200, "{\"allow\": false, \"reason\": \"not on a Friday\"}", std::time::Duration::ZERO);
    let hook = json!({"name": "careful", "phase": "pre", "filter": "request.path.endsWith('/cancel')", "target": {"kind": "webhook", "url": receiver.url}});
    let (status, answer) = tenant.admin().post("/api/hooks", hook).await;
    assert!(status.is_success(), "{answer}");
    let (page, form) = (format!("/ui/runs/{run}"), format!("/ui/runs/{run}/cancel"));
    let notice = person.send_form(&page, &form, &[]).await;
    assert!(notice.starts_with('-') && notice.contains("not on a Friday"), "{notice}");
    assert_eq!(person.get(&format!("/api/runs/{run}")).await.1["status"], "running");

    receiver.always(200, "{}", std::time::Duration::ZERO);
    assert!(person.send_form(&page, &form, &[]).await.starts_with('+'));
    assert_eq!(person.end(&run).await["status"], "cancelled");
}

#[tokio::test]
async fn forms_of_other_sites_change_nothing() {
    let tenant = Tenant::new().await;
    let person = tenant.contributor();
    let folder = tempfile::tempdir().expect("a folder");
    let run = person.submit(plan(vec![bash("s", &until(&folder.path().join("never")))])).await;
    person.wait(&run, |run| run["status"] == "running").await;
    let client = nofx_shared::net::client();
    let cookie = format!("nofx_session={}", person.token);
    let post = |path: &str| client.post(format!("{}{path}", STACK.get("api_url"))).header("cookie", &cookie);
    let cancel = format!("/ui/runs/{run}/cancel");
    let (own, of_another) = (person.form_token("/ui/runs").await, tenant.contributor().form_token("/ui/runs").await);
    for (request, why) in [
        (post(&cancel).form(&[("reason", "x")]), "no token of the form"),
        (post(&cancel).form(&[("csrf", "0".repeat(64))]), "a wrong token"),
        (post(&cancel).form(&[("csrf", &of_another)]), "the token of another person"),
        (post(&cancel).header("cookie", "nofx_browser=another").form(&[("csrf", &own)]), "the token of another browser"),
        (post(&cancel).header("sec-fetch-site", "cross-site").form(&[("csrf", &own)]), "another site"),
        (
            post(&format!("/api/runs/{run}/cancel")).header("content-type", "application/json").body("{}"),
            "a cookie is no credential for the API's writes",
        ),
        (post("/ui/../api/runs").header("content-type", "application/json").body("{}"), "nor by another way"),
    ] {
        let status = request.send().await.expect("an answer").status();
        assert!(matches!(status.as_u16(), 401 | 403 | 404), "{why}: {status}");
    }
    let (_, shown) = person.get(&format!("/api/runs/{run}")).await;
    assert_eq!(shown["status"], "running");
    // Reads may be authorised by the cookie: a browser's stream has nothing else.
    let read = client.get(format!("{}/api/runs/{run}", STACK.get("api_url"))).header("cookie", &cookie).send().await.expect("an answer");
    assert_eq!(read.status(), 200);
    person.post(&format!("/api/runs/{run}/cancel"), json!({})).await;
}
