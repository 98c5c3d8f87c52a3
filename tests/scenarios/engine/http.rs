use nofx_tests::Tenant;
use nofx_tests::people::step;
use nofx_tests::receiver::Receiver;
use nofx_tests::stack::STACK;
use serde_json::json;

#[tokio::test]
async fn an_http_step_reaches_no_private_address_however_it_is_written() {
    let person = Tenant::new().await.contributor();
    let port = STACK.get("api_url").rsplit(':').next().expect("a port").to_owned();
    let hosts = ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1"];
    let steps: Vec<_> = hosts
        .iter()
        .enumerate()
        .map(|(n, host)| {
            let inputs = json!({"url": format!("http://{host}:{port}/api/health")});
            json!({"name": format!("s{n}"), "tool": "http", "needs": [], "on_failure": "continue", "inputs": inputs})
        })
        .collect();
    let run = person.run(json!({"goal": "reach", "steps": steps})).await;
    for (n, host) in hosts.iter().enumerate() {
        let step = step(&run, &format!("s{n}"));
        assert_eq!(step["status"], "failed", "{host}: {step}");
        assert!(step["error"]["message"].as_str().is_some_and(|message| message.contains("private address")), "{host}: {step}");
    }
}

#[tokio::test]
async fn an_http_step_reports_a_redirect_and_does_not_follow_it() {
    let tenant = Tenant::new().await;
    tenant.allow_loopback().await;
    let (first, beyond) = (Receiver::start().await, Receiver::start().await);
    first.sends_on_to(&beyond.url);
    let inputs = json!({"url": first.url, "expected_status": [302]});
    let run = tenant.contributor().run(json!({"goal": "redirect", "steps": [{"name": "a", "tool": "http", "inputs": inputs}]})).await;
    let outputs = &step(&run, "a")["outputs"];
    assert_eq!((outputs["status"].as_u64(), outputs["headers"]["location"].as_str()), (Some(302), Some(beyond.url.as_str())), "{run}");
    assert_eq!((first.received().len(), beyond.received().len()), (1, 0));
}
