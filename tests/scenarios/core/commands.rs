//! Commands for runs, beside submitting them (`examples`).

use std::process::Stdio;

use nofx_tests::people::step;
use nofx_tests::plans::open_folder;
use nofx_tests::stack::{STACK, binary};
use nofx_tests::{Tenant, WAIT_LIMIT};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_listed_shown_cancelled_and_retried() {
    let tenant = Tenant::new().await;
    let person = tenant.contributor();
    let done = person.run(json!({"goal": "is done", "steps": [{"name": "a", "tool": "noop"}]})).await;
    let done = done["id"].as_str().expect("an id");
    let folder = open_folder();
    let there = folder.path().join("there");
    let script = format!("test -e {} || exit 3", there.display());
    let failed = person
        .run(json!({"goal": "fails once", "steps": [
            {"name": "flaky", "tool": "bash", "retry": {"max_attempts": 1}, "inputs": {"script": script}}]}))
        .await;
    let failed = failed["id"].as_str().expect("an id");
    let waits =
        person.submit(json!({"goal": "waits", "steps": [{"name": "ask", "tool": "manual:x", "inputs": {"question": "Go on?"}}]})).await;
    let run = person.wait(&waits, |run| run["gates"][0]["status"] == "pending").await;
    let gate = run["gates"][0]["id"].as_str().expect("an id");

    let lines = |arguments: &[&str]| -> Vec<String> {
        let printed = person.nofx(arguments);
        assert_eq!(printed.code, Some(0), "{printed:?}");
        printed.out.lines().map(str::to_owned).collect()
    };
    let all = lines(&["runs"]);
    assert!(all.len() == 3 && all[0].starts_with(&waits) && all[2].starts_with(done), "newest first: {all:?}");
    assert!(all[0].ends_with("0/1    waits") && all[2].contains("succeeded     1/1    is done"), "{all:?}");
    assert!(all[1].contains("failed") && all[1].contains("(the process exited with code 3)"), "with the reason: {all:?}");
    assert_eq!(lines(&["runs", "--limit", "1"]), all[..1]);
    assert_eq!(lines(&["runs", "--status", "failed"]), all[1..2]);
    assert_eq!(lines(&["runs", "--needs-approval"]), all[..1]);
    assert_eq!(person.nofx(&["runs", "--json"]).json()["data"].as_array().map(Vec::len), Some(3));
    assert_eq!(tenant.viewer().nofx(&["runs", "--status", "nonsense"]).code, Some(2));
    assert_eq!(tenant.viewer().nofx(&["runs", "--status", "failed&limit=1"]).code, Some(2), "a value is one value");

    let shown = lines(&["show", &waits]);
    assert!(shown[0].ends_with("running  waits") && shown[1].ends_with("ask  [manual:x] for a gate"), "{shown:?}");
    assert_eq!(shown[2], format!("  waiting for approval: nofx approve {gate}  (Go on?)"));
    assert_eq!(person.nofx(&["show", failed, "--json"]).json()["steps"][0]["name"], "flaky");
    let unknown = person.nofx(&["show", "00000000-0000-0000-0000-000000000001"]);
    assert!(unknown.code == Some(2) && unknown.out.is_empty() && !unknown.err.is_empty(), "{unknown:?}");

    assert_eq!(tenant.viewer().nofx(&["cancel", &waits]).code, Some(2), "a viewer looks");
    assert_eq!(lines(&["cancel", &waits]), [format!("{waits} cancelled")]);
    assert_eq!(person.end(&waits).await["status"], "cancelled");
    std::fs::write(there, "").expect("written");
    assert_eq!(person.nofx(&["retry", failed, "--json"]).json()["id"], failed);
    let run = person.end(failed).await;
    assert_eq!((run["status"].as_str(), step(&run, "flaky")["status"].as_str()), (Some("succeeded"), Some("succeeded")), "{run}");
    assert_eq!(person.nofx(&["retry", done]).code, Some(2), "what succeeded is not done again");
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "starts the CLI as a user would, and reads while it runs")]
async fn events_are_printed_and_followed() {
    let tenant = Tenant::new().await;
    let person = tenant.contributor();
    let plan = |goal: &str| json!({"goal": goal, "steps": [{"name": "a", "tool": "noop"}]});
    let first = person.run(plan("first")).await["id"].as_str().expect("an id").to_owned();
    let second = person.run(plan("second")).await["id"].as_str().expect("an id").to_owned();
    person.events(&format!("run_id={second}&types=run.succeeded"), 1).await;
    let events = |arguments: &[&str]| -> Vec<Value> {
        let printed = person.nofx(&[&["events"], arguments].concat());
        assert_eq!(printed.code, Some(0), "{printed:?}");
        printed.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    let ended = events(&["--types", "run.succeeded"]);
    assert_eq!(ended.iter().map(|event| event["runid"].as_str()).collect::<Vec<_>>(), [Some(&*first), Some(&*second)], "{ended:?}");
    let of = events(&["--run", &first]);
    assert!(of.len() > 3 && of.iter().all(|event| event["runid"] == *first), "{of:?}");
    // Names of no event: nothing of them is another parameter, or is cut off.
    for types in [format!("run.succeeded&run_id={first}"), "run.succeeded#".to_owned()] {
        assert_eq!(events(&["--types", &types]), Vec::<Value>::new(), "{types}");
    }

    // All earlier events, and then new ones.
    let mut following = Command::new(binary());
    following.args(["events", "--follow", "--types", "run.succeeded"]).env("NOFX_API_URL", STACK.get("api_url"));
    let following = following.env("NOFX_TOKEN", &person.token).stdout(Stdio::piped()).kill_on_drop(true).spawn();
    let mut following = following.expect("nofx starts");
    let mut lines = BufReader::new(following.stdout.take().expect("a pipe")).lines();
    let mut next = async || -> Value {
        let line = tokio::time::timeout(WAIT_LIMIT, lines.next_line()).await.expect("nothing more was printed");
        serde_json::from_str(&line.expect("text").expect("it goes on")).expect("JSON")
    };
    assert_eq!([next().await, next().await], ended[..]);
    let third = person.run(plan("third")).await;
    assert_eq!(next().await["runid"], third["id"]);
}

/// An API that answers these requests, one a connection, byte by byte.
async fn answers(responses: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        for response in responses {
            let (mut socket, _) = listener.accept().await.expect("a client");
            let mut head = vec![];
            while !head.ends_with(b"\r\n\r\n") {
                head.push(socket.read_u8().await.expect("a head"));
            }
            for byte in response.bytes() {
                socket.write_all(&[byte]).await.expect("sent");
                socket.flush().await.expect("sent");
            }
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn a_followed_stream_is_read_as_the_format_says_and_a_refusal_ends_it() {
    let json = |status: &str, body: &str| {
        format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
    };
    let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream\r\n\r\n";
    let url = answers(vec![
        json("200 OK", r#"{"data": [], "next_cursor": null}"#),
        format!("{head}retry: 1\r\n\r\n: ping\r\n\r\nid: 1-1\r\ndata: {{\"goal\":\r\ndata: \"Zoë ✓\"}}\r\n\r\nid: 1-2\r\ndata: {{\"cut"),
        json("503 Service Unavailable", "{}"),
        format!("{head}id: 1-2\ndata: {{\"goal\": \"🚀\"}}\n\n"),
        json("403 Forbidden", r#"{"title": "Forbidden", "detail": "The key was revoked."}"#),
    ])
    .await;
    let person = Tenant::new().await.viewer();
    let said = person.nofx(&["events", "--follow", "--api-url", &url]);
    // An event a line, also where the stream has several lines for one.
    assert_eq!(said.out, "{\"goal\": \"Zoë ✓\"}\n{\"goal\": \"🚀\"}\n", "{said:?}");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("503") && said.err.ends_with("nofx: Forbidden. The key was revoked.\n"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_inspected_requeued_and_purged() {
    let tenant = Tenant::new().await;
    let (person, supervisor) = (tenant.contributor(), tenant.supervisor());
    assert_eq!(person.nofx(&["dlq", "inspect"]).err, "nofx: the DLQ is empty\n");
    let folder = open_folder();
    let there = folder.path().join("there");
    for goal in ["one", "two"] {
        let script = format!("test -e {} || exit 3", there.display());
        let step = json!({"name": goal, "tool": "bash", "retry": {"max_attempts": 1}, "inputs": {"script": script}});
        assert_eq!(person.run(json!({"goal": goal, "steps": [step]})).await["status"], "failed");
    }
    let dead_letters = person.nofx(&["dlq", "inspect", "--tool", "bash", "--json"]).json()["data"].clone();
    let dead_letter = |name: &str| {
        dead_letters.as_array().and_then(|all| all.iter().find(|dead_letter| dead_letter["name"] == name)).expect("a dead letter")
    };
    let id = |name: &str| dead_letter(name)["id"].as_str().expect("an id");
    let listed = person.nofx(&["dlq", "inspect"]);
    assert!(listed.out.lines().count() == 2 && listed.out.contains(id("one")) && listed.out.contains("exhausted"), "{listed:?}");
    assert_eq!(person.nofx(&["dlq", "inspect", "--tool", "http"]).out, "");
    assert_eq!(person.nofx(&["dlq", "inspect", id("one")]).json()["name"], "one");

    let nothing = person.nofx(&["dlq", "requeue"]);
    assert!(nothing.code == Some(2) && nothing.err.contains("select by id"), "nothing is not everything: {nothing:?}");
    let missing = "00000000-0000-0000-0000-000000000001";
    let printed = person.nofx(&["dlq", "requeue", missing]);
    assert!(printed.code == Some(2) && printed.err.contains(&format!("{missing} is not in the DLQ")), "{printed:?}");
    let would = person.nofx(&["dlq", "requeue", "--all", "--dry-run"]);
    assert!(would.out.lines().count() == 2 && would.out.contains(&format!("{} would be requeued", id("two"))), "{would:?}");
    std::fs::write(there, "").expect("written");
    assert_eq!(person.nofx(&["dlq", "requeue", id("one")]).out, format!("{} requeued\n", id("one")));
    assert_eq!(person.end(dead_letter("one")["run_id"].as_str().expect("an id")).await["status"], "succeeded");
    assert_eq!(person.nofx(&["dlq", "purge", "--all"]).code, Some(2), "for supervisors");
    assert_eq!(supervisor.nofx(&["dlq", "purge", "--reason", "exhausted"]).out, format!("{} purged\n", id("two")));
    let none = supervisor.nofx(&["dlq", "purge", "--all"]);
    assert_eq!((none.code, none.err.as_str()), (Some(0), "nofx: no dead letters match\n"));
}
