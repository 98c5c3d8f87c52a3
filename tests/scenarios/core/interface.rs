#![expect(clippy::disallowed_methods, reason = "a flag accepts the interface as it is, and asks the CLI for its help")]

use nofx_tests::Person;
use nofx_tests::stack::{binary, root};
use serde_json::Value;

/// Compares with what is checked in, so that a change of interface is seen in the diff.
fn same(name: &str, text: &str) {
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

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("JSON") + "\n"
}

#[tokio::test]
async fn the_api_is_what_is_written_down() {
    let nobody = Person::with_token("");
    same("openapi.json", &pretty(&nobody.get("/api/openapi.json").await.1));
    same("plan.schema.json", &pretty(&nobody.get("/api/schemas/plan.json").await.1));
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
