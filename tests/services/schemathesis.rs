use std::process::Command;

use nofx_tests::own::Own;
use nofx_tests::stack::{root, target};

/// Requests generated from the API's own description, valid and invalid, as each role: nothing fails inside, and every answer is described.
#[test]
#[expect(clippy::disallowed_methods, reason = "runs schemathesis; a flag makes it long")]
fn every_route_answers_as_it_is_described_whoever_asks_and_whatever_they_send() {
    let own = Own::start(&Own::folder("schemathesis"), &["--workers", "1"]);
    let dev = own.dev();
    // The roles with the fewest and the most rights; a role between them gets responses that one of the two gets. Each boundary of each
    // field is tried with all rights: otherwise requests are refused before fields are validated.
    let (examples, asked): (_, &[_]) = match std::env::var_os("NOFX_TEST_LONG") {
        Some(_) => ("100", &["viewer", "contributor", "supervisor", "admin"].map(|role| (role, "coverage,fuzzing"))),
        None => ("3", &[("viewer", "fuzzing"), ("admin", "examples,coverage,fuzzing")]),
    };
    for (role, phases) in asked {
        let output = Command::new(target().join("python/bin/st"))
            .arg("--config-file")
            .arg(root().join("tests/schemathesis.toml"))
            .arg("run")
            .arg(format!("{}/api/openapi.json", dev["api_url"].as_str().expect("a URL")))
            .args(["--checks", "all", "--phases", phases, "--max-examples", examples, "--workers", "2", "--seed", "1"])
            // It never ends.
            .args(["--exclude-path", "/api/events/stream", "--continue-on-failure", "--no-color", "--generation-database", "none"])
            .args(["-H", &format!("Authorization: Bearer {}", dev["tokens"][*role].as_str().expect("a token"))])
            .current_dir(&own.dir)
            .output()
            .expect("schemathesis; scripts/bootstrap-dev.sh --tests installs it");
        let printed = String::from_utf8_lossy(&output.stdout);
        let failures = printed.find("= FAILURES =").map_or(&printed[..], |at| &printed[at..]);
        assert!(output.status.success(), "as {role}: {failures}{}", String::from_utf8_lossy(&output.stderr));
        let tested = printed.split("Tested: ").nth(1).and_then(|rest| rest.split_whitespace().next()?.parse::<u32>().ok());
        assert!(tested.is_some_and(|routes| routes >= 60), "as {role} most routes were not asked: {printed}");
    }
}
