use nofx_tests::Person;
use nofx_tests::browser::{Browser, Look};
use nofx_tests::stack::STACK;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

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
    let email = text(&person("viewer")["email"]);
    let ask = async || {
        browser.visit("/ui/sign-in").await;
        browser.find("#link-email").await.send_keys(email).await.expect("typed");
        browser.text("button", "Email me a link").await.click().await.expect("clicked");
        browser.text("[role=alert]", "a link is on its way").await;
        newest_link(email)
    };
    // Another browser that opens the link did not request it.
    let other = Browser::open(Look::Light).await;
    other.driver.goto(&ask().await).await.expect("the page loads");
    other.text("[role=alert]", "the browser that requested it").await;
    let link = ask().await;
    browser.driver.goto(&link).await.expect("the page loads");
    browser.text(".who span", email).await;
    other.driver.goto(&link).await.expect("the page loads");
    other.text("[role=alert]", "new link").await;
    other.close().await;
    browser.close().await;
}

/// The mail that the embedded Auth would have sent.
fn newest_link(email: &str) -> String {
    let dev = nofx_tests::stack::dev_file();
    let mails = std::fs::read_to_string(dev.with_file_name("mail.jsonl")).expect("mail");
    let mails = mails.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let mine = mails.rev().find(|mail| mail["to"] == email).expect("a mail");
    text(&mine["link"]).to_owned()
}

/// The cookies that a sign-in with a password sets.
async fn sign_in(role: &str, next: &str) -> Vec<String> {
    let form = [("email", text(&person(role)["email"])), ("password", text(&person(role)["password"])), ("next", next)];
    let answer =
        nofx_shared::net::client().post(format!("{}/ui/sign-in", STACK.get("api_url"))).form(&form).send().await.expect("an answer");
    assert_eq!((answer.status(), answer.headers()["location"].to_str().expect("text")), (StatusCode::SEE_OTHER, next));
    answer.headers().get_all("set-cookie").iter().map(|value| value.to_str().expect("text").to_owned()).collect()
}

fn value<'a>(set: &'a [String], name: &str) -> &'a str {
    set.iter().find_map(|cookie| cookie.strip_prefix(name)?.strip_prefix('=')?.split(';').next()).expect("the cookie is set")
}

#[tokio::test]
async fn colleagues_read_an_address_instead_of_an_id() {
    let (author, supervisor) = (sign_in("contributor", "/ui/runs").await, sign_in("supervisor", "/ui/runs").await);
    let (author, supervisor) = (Person::with_token(value(&author, "nofx_session")), Person::with_token(value(&supervisor, "nofx_session")));
    let run =
        author.submit(json!({"goal": "ask", "steps": [{"name": "ask", "tool": "manual:x", "inputs": {"question": "Shall we?"}}]})).await;
    author.wait(&run, |run| run["steps"][0]["waits_for"] == "gate").await;
    let (_, gates) = supervisor.get(&format!("/api/runs/{run}/gates")).await;
    supervisor.post(&format!("/api/gates/{}/reject", text(&gates["data"][0]["id"])), json!({"reason": "not today"})).await;
    author.end(&run).await;
    // Names are known anew after 5 s.
    let page = async |person: &Person| person.browse(Method::GET, &format!("/ui/runs/{run}")).send().await.expect("an answer").text().await;
    let begin = std::time::Instant::now();
    loop {
        let (to_supervisor, to_author) = (page(&supervisor).await.expect("text"), page(&author).await.expect("text"));
        let says = to_supervisor.contains(text(&person("contributor")["email"]));
        if says && to_author.contains(&format!("rejected by {}: not today", text(&person("supervisor")["email"]))) {
            break;
        }
        assert!(begin.elapsed().as_secs() < 60, "{to_author}");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn a_session_is_renewed_by_itself_and_only_by_its_own_token() {
    let client = nofx_shared::net::client();
    let url = |path: &str| format!("{}{path}", STACK.get("api_url"));
    let set = sign_in("contributor", "/ui/system").await;
    assert!(set.iter().all(|cookie| cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax")), "{set:?}");
    let refresh = format!("nofx_refresh={}", value(&set, "nofx_refresh"));
    // The access token is gone, as when it has run out.
    let renewed = client.get(url("/ui/system")).header("cookie", &refresh).send().await.expect("an answer");
    assert_eq!(renewed.status(), 200);
    let session =
        renewed.headers().get_all("set-cookie").iter().any(|value| value.to_str().is_ok_and(|text| text.starts_with("nofx_session=ey")));
    assert!(session, "{:?}", renewed.headers());
    let again = client.get(url("/ui/system")).header("cookie", &refresh).send().await.expect("an answer");
    assert_eq!(again.status(), StatusCode::SEE_OTHER, "a refresh token is good once");
}
