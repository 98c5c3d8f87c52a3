#![expect(clippy::disallowed_methods, reason = "a flag accepts the interface as it is, and asks the CLI for its help")]

use nofx_tests::Person;
use nofx_tests::stack::{STACK, binary, root};
use serde_json::Value;

/// Compares with the checked-in file, so that a change of interface is in the diff.
pub(super) fn same(name: &str, text: &str) {
    let path = root().join("docs/interface").join(name);
    if std::env::var_os("NOFX_UPDATE").is_some() {
        std::fs::write(&path, text).expect("written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let place = kept
        .lines()
        .zip(text.lines())
        .position(|(kept, now)| kept != now)
        .unwrap_or_else(|| kept.lines().count().min(text.lines().count()));
    assert!(
        kept == text,
        "docs/interface/{name} differs from line {}: if the change is meant, run the tests with NOFX_UPDATE=1",
        place + 1
    );
}

#[test]
fn the_command_line_is_what_is_written_down() {
    let help = |arguments: &[&str]| {
        let output = std::process::Command::new(binary()).args(arguments).arg("--help").output().expect("it runs");
        assert!(output.status.success(), "{arguments:?}");
        String::from_utf8(output.stdout).expect("text").lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    };
    let all = help(&[]);
    let commands = all.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("commands");
    let names = commands.lines().filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    let mut text = format!("$ nofx --help\n{all}\n");
    for name in names {
        text.push_str(&format!("\n$ nofx {name} --help\n{}\n", help(&[name])));
    }
    same("cli.txt", &text);
}

#[test]
fn all_faults_of_the_settings_are_reported_at_once() {
    let wrong = [
        ("SUPABASE_URL", "nowhere"),
        ("QUEUE_DRIVER", "sqs"),
        ("NOFX_LEASE_S", "soon"),
        ("SECRETS_DRIVER", "paper"),
        ("RUST_LOG", "nofx=loud"),
    ];
    let output = std::process::Command::new(binary()).arg("worker").env_clear().envs(wrong).output().expect("it runs");
    let printed = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    for name in
        ["SUPABASE_URL: `nowhere`", "SUPABASE_ANON_KEY is", "AWS_REGION is", "NOFX_LEASE_S: ", "SECRETS_DRIVER: `paper`", "RUST_LOG: "]
    {
        assert!(printed.contains(name), "{name} is missing in {printed}");
    }
    assert!(!printed.contains("JWT"), "what signs everybody's tokens is no setting of a worker: {printed}");
}

mod every_host {
    use super::*;

    #[tokio::test]
    async fn what_the_api_says_of_itself_is_what_is_written_down() {
        let nobody = Person::with_token("");
        for (path, file) in [
            ("/api/openapi.json", "openapi.json"),
            ("/api/asyncapi.json", "asyncapi.json"),
            ("/api/schemas/plan.json", "plan.schema.json"),
            ("/api/schemas/evidence.json", "evidence.schema.json"),
        ] {
            let stored = std::fs::read_to_string(root().join("docs/interface").join(file)).expect("a file");
            let difference = first_difference(&nobody.get(path).await.1, &serde_json::from_str(&stored).expect("JSON"), "");
            // The whole of both would be a hundred pages.
            assert_eq!(difference, None, "{path} is not docs/interface/{file}; accept it with NOFX_UPDATE=1 if it is meant");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_smoke_test_distinguishes_a_working_deployment_from_one_that_is_not() {
        let token = nofx_tests::Tenant::new().await.viewer().token;
        let smoke = |url: &str, token: &str| {
            let arguments =
                ["smoke", "--url", url, "--supabase-url", STACK.get("supabase_url"), "--supabase-anon-key", STACK.get("anon_key")];
            std::process::Command::new(binary()).args(arguments).args(["--json", "--token", token]).output().expect("it runs")
        };
        let read = |output: &std::process::Output| -> Vec<Value> { serde_json::from_slice(&output.stdout).expect("JSON") };
        let stands = smoke(STACK.get("api_url"), &token);
        assert!(stands.status.success() && read(&stands).len() == 6, "{}", String::from_utf8_lossy(&stands.stdout));

        let refused = smoke(STACK.get("api_url"), "nobody");
        let failed: Vec<Value> = read(&refused).into_iter().filter(|one| one["ok"] == false).map(|one| one["check"].clone()).collect();
        assert_eq!((refused.status.code(), failed), (Some(1), vec![Value::from("event stream")]));
        assert_eq!(smoke("http://127.0.0.1:9", &token).status.code(), Some(1));
    }
}

/// Where two documents differ first, with both values, cut short.
fn first_difference(served: &Value, stored: &Value, pointer: &str) -> Option<String> {
    match (served, stored) {
        (Value::Object(ones), Value::Object(others)) if ones.keys().all(|key| others.contains_key(key)) && ones.len() == others.len() => {
            ones.iter().find_map(|(key, one)| first_difference(one, &others[key], &format!("{pointer}/{key}")))
        }
        (Value::Array(ones), Value::Array(others)) if ones.len() == others.len() => {
            ones.iter().zip(others).enumerate().find_map(|(at, (one, other))| first_difference(one, other, &format!("{pointer}/{at}")))
        }
        _ if served == stored => None,
        _ => Some(format!("{pointer}: {:.300} instead of {:.300}", served.to_string(), stored.to_string())),
    }
}
