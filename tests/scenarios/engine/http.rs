use nofx_tests::Tenant;
use nofx_tests::people::step;
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
