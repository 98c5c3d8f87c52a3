//! The dashboard on whatever host the scenarios run on; `tests/browser` looks at it.

use nofx_tests::plans::{plan, step};
use nofx_tests::stack::STACK;
use nofx_tests::{Person, Tenant};
use serde_json::json;

fn request(person: &Person, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
    let request = nofx_shared::net::client().request(method, format!("{}{path}", STACK.get("api_url")));
    request.header("cookie", format!("nofx_session={}", person.token))
}

#[tokio::test]
async fn pages_and_forms_work_on_every_host() {
    let nobody = Person::with_token("");
    let away = request(&nobody, reqwest::Method::GET, "/ui/runs?status=failed").send().await.expect("an answer");
    assert_eq!(
        (away.status().as_u16(), away.headers()["location"].to_str().expect("text")),
        (303, "/ui/sign-in?next=%2Fui%2Fruns%3Fstatus%3Dfailed")
    );
    let sign_in = request(&nobody, reqwest::Method::GET, "/ui/sign-in").send().await.expect("an answer");
    assert!(sign_in.text().await.expect("text").contains("Sign in to NOFX"));

    let person = Tenant::new().await.contributor();
    let run = person.submit(plan(vec![step("slow", "sleep", &[], json!({"seconds": 60}))])).await;
    let page = request(&person, reqwest::Method::GET, &format!("/ui/runs/{run}")).send().await.expect("an answer");
    assert_eq!(page.status(), 200);
    assert!(page.headers()["content-security-policy"].to_str().expect("text").contains("script-src 'self'"));
    let html = page.text().await.expect("text");
    let token = html.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a token");
    let form = request(&person, reqwest::Method::POST, &format!("/ui/runs/{run}/cancel"));
    let done = form.form(&[("csrf", token), ("reason", "enough")]).send().await.expect("an answer");
    assert_eq!((done.status().as_u16(), done.headers()["location"].to_str().expect("text")), (303, format!("/ui/runs/{run}").as_str()));
    let ended = person.end(&run).await;
    assert_eq!((ended["status"].as_str(), ended["error"]["message"].as_str()), (Some("cancelled"), Some("enough")), "{ended}");
}
