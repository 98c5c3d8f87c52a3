//! Tokens of people who have signed out: valid until they expire, and good for nothing that changes something.

use nofx_tests::Person;
use nofx_tests::plans::{plan, step};
use nofx_tests::stack::STACK;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

fn auth(path: &str) -> RequestBuilder {
    let url = format!("{}/auth/v1/{path}", STACK.get("supabase_url"));
    nofx_shared::net::client().post(url).header("apikey", STACK.get("anon_key"))
}

/// Signs in as the contributor of the stack.
async fn sign_in() -> Person {
    let people = STACK.json("people").as_array().expect("people");
    let contributor = people.iter().find(|person| person["role"] == "contributor").expect("a contributor");
    let given = json!({"email": contributor["email"], "password": contributor["password"]});
    let (status, session) = nofx_tests::people::answer(auth("token?grant_type=password").json(&given)).await;
    assert_eq!(status, 200, "{session}");
    Person::with_token(session["access_token"].as_str().expect("a token"))
}

fn body() -> Value {
    json!({"plan": plan(vec![step("a", "noop", &[], json!({}))])})
}

#[tokio::test]
async fn who_has_signed_out_changes_nothing_with_the_token_that_is_left() {
    let (stays, leaves) = (sign_in().await, sign_in().await);
    let signed_out = auth("logout?scope=local").bearer_auth(&leaves.token).send().await.expect("an answer");
    assert_eq!(signed_out.status(), 204);
    let (status, problem) = leaves.post("/api/runs", body()).await;
    assert_eq!(
        (status.as_u16(), problem["detail"].as_str()),
        (401, Some("The session of this token has ended. Sign in again.")),
        "{problem}"
    );
    let dropped = leaves.request(Method::DELETE, &format!("/api/hooks/{}", uuid::Uuid::now_v7())).send().await.expect("an answer");
    assert_eq!(dropped.status(), 401);
    // Another session of the same person goes on, and a token that belongs to no session needs none.
    assert_eq!(stays.post("/api/runs", body()).await.0, 201);
    assert_eq!(nofx_tests::Tenant::new().await.contributor().post("/api/runs", body()).await.0, 201);
}
