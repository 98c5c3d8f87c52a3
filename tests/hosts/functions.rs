//! The function that executes steps as it is deployed: a process of its own, which the platform freezes after its answers.

use std::time::Duration;

use nofx_shared::function_calls::SIGNATURE_HEADER;
use nofx_tests::function::{ByHand, again, call, work};
use nofx_tests::receiver::Receiver;
use nofx_tests::vercel::Deployment;
use serde_json::json;

use crate::settings;
use crate::vercel::built;

#[tokio::test(flavor = "multi_thread")]
async fn a_deployed_function_ends_what_it_began_when_its_caller_is_gone() {
    let (by_hand, receiver) = (ByHand::start("function-deployed"), Receiver::start().await);
    let allowed = vec![("NOFX_ALLOW_PRIVATE_ADDRESSES".to_owned(), "true".to_owned())];
    let deployment = Deployment::start(&built().await, &[settings(&by_hand.own.dev()), allowed].concat()).await;
    let by_hand = by_hand.calling(&deployment.url);
    receiver.always(200, "done", Duration::from_secs(2));
    let inputs = json!({"url": receiver.url});
    let first = call(&by_hand.claim("http", inputs.clone()).await, work(&inputs));
    let body = serde_json::to_vec(&first).expect("JSON");
    assert_eq!(by_hand.post(&body, "v1=00").await.0, 401);
    let sent = tokio::spawn({
        let (url, signature) = (by_hand.url.clone(), by_hand.key.sign(&body));
        let request = nofx_shared::net::client().post(url).header(SIGNATURE_HEADER, signature).body(body);
        request.send()
    });
    receiver.wait(1).await;
    sent.abort();
    let answer = loop {
        match by_hand.call(&again(&first)).await {
            (200, answer) => break answer,
            (status, problem) => assert_eq!(status, 409, "{problem}"),
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!((&answer["executed"]["done"]["outputs"]["body"], receiver.received().len()), (&json!("done"), 1));
}
