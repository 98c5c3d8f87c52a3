use nofx_tests::browser::{Browser, Look};
use nofx_tests::stack::STACK;
use reqwest::StatusCode;
use serde_json::Value;

fn person(role: &str) -> &'static Value {
    STACK.json("people").as_array().and_then(|people| people.iter().find(|person| person["role"] == role)).expect("a person of that role")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_signs_in_with_a_password_comes_to_the_page_and_signs_out() {
    let browser = Browser::open(Look::Light).await;
    browser.visit("/ui/approvals?history=1").await;
    let (email, password) = (browser.find("#email").await, browser.find("#password").await);
    email.send_keys(text(&person("supervisor")["email"])).await.expect("typed");
    password.send_keys("not this").await.expect("typed");
    browser.find("form button.primary").await.click().await.expect("clicked");
    browser.text("[role=alert]", "Invalid login credentials").await;

    browser.find("#email").await.send_keys(text(&person("supervisor")["email"])).await.expect("typed");
    browser.find("#password").await.send_keys(text(&person("supervisor")["password"])).await.expect("typed");
    browser.find("form button.primary").await.click().await.expect("clicked");
    browser.text("h1", "Approvals").await;
    let url = browser.driver.current_url().await.expect("a URL");
    assert_eq!(url.query(), Some("history=1"), "it came to where it was going");
    browser.text(".who span", text(&person("supervisor")["email"])).await;
    let cookies = browser.script("return document.cookie").await;
    assert_eq!(cookies, "", "no script sees the session");

    browser.find(".who button").await.click().await.expect("clicked");
    browser.text("h1", "Sign in").await;
    browser.visit("/ui/runs").await;
    browser.text("h1", "Sign in").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_by_mail_signs_in_the_browser_that_asked_for_it_once() {
    let browser = Browser::open(Look::Light).await;
    browser.visit("/ui/sign-in").await;
    let email = text(&person("viewer")["email"]);
    browser.find("#link-email").await.send_keys(email).await.expect("typed");
    browser.text("button", "Send the link").await.click().await.expect("clicked");
    browser.text("[role=alert]", "a link is on its way").await;
    let link = newest_link(email);
    // Another browser that comes by the link has not asked for it.
    let other = Browser::open(Look::Light).await;
    browser.driver.goto(&link).await.expect("the page loads");
    browser.text(".who span", email).await;
    other.driver.goto(&link).await.expect("the page loads");
    other.text("[role=alert]", "new link").await;
    other.close().await;
    browser.close().await;
}

/// What the embedded Auth would have sent.
fn newest_link(email: &str) -> String {
    let dev = nofx_tests::stack::dev_file();
    let mails = std::fs::read_to_string(dev.with_file_name("mail.jsonl")).expect("mail");
    let mails = mails.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let mine = mails.rev().find(|mail| mail["to"] == email).expect("a mail");
    text(&mine["link"]).to_owned()
}

#[tokio::test]
async fn a_session_is_renewed_by_itself_and_only_by_its_own_token() {
    let client = nofx_shared::net::client();
    let url = |path: &str| format!("{}{path}", STACK.get("api_url"));
    let form =
        [("email", text(&person("contributor")["email"])), ("password", text(&person("contributor")["password"])), ("next", "/ui/system")];
    let answer = client.post(url("/ui/sign-in")).form(&form).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(answer.headers()["location"], "/ui/system");
    let set: Vec<String> = answer.headers().get_all("set-cookie").iter().map(|value| value.to_str().expect("text").to_owned()).collect();
    assert!(set.iter().all(|cookie| cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax")), "{set:?}");
    let refresh =
        set.iter().find(|cookie| cookie.starts_with("nofx_refresh=")).and_then(|cookie| cookie.split(';').next()).expect("a refresh token");
    // The access token is gone, as when it has run out.
    let renewed = client.get(url("/ui/system")).header("cookie", refresh).send().await.expect("an answer");
    assert_eq!(renewed.status(), 200);
    let session =
        renewed.headers().get_all("set-cookie").iter().any(|value| value.to_str().is_ok_and(|text| text.starts_with("nofx_session=ey")));
    assert!(session, "{:?}", renewed.headers());
    let again = client.get(url("/ui/system")).header("cookie", refresh).send().await.expect("an answer");
    assert_eq!(again.status(), StatusCode::SEE_OTHER, "a refresh token is good once");
}
