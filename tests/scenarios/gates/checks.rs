use nofx_shared::gates::Evidence;
use nofx_tests::people::{Person, status, step};
use nofx_tests::repository::{Repository, path_with_tools};
use nofx_tests::stack::workspace;
use nofx_tests::{Tenant, plans};
use serde_json::{Value, json};

/// Runs one gate in a checkout with the tools of the tests; the run and its evidence.
async fn gate(person: &Person, repository: &Repository, tool: &str, inputs: Value) -> (Value, Value) {
    let run = person
        .run(json!({"goal": tool, "risky": true, "workspace": repository.workspace("main"), "steps": [
            {"name": "gate", "tool": tool, "inputs": inputs, "env": {"PATH": path_with_tools()}}]}))
        .await;
    let evidence = person.evidence(&run, "gate").await;
    (run, evidence)
}

/// Findings as `file:line rule`.
fn found(evidence: &Value) -> Vec<String> {
    let findings = evidence["findings"].as_array().expect("findings").iter();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    findings.map(|one| format!("{}:{} {}", text(&one["file"]), text(&one["line"]), text(&one["rule"]))).collect()
}

const PYTHON: &[(&str, &str)] = &[
    ("pyproject.toml", "[project]\nname = \"x\"\nversion = \"1\"\n"),
    ("src.py", "def half(n):\n    return n // 2\n"),
    ("test_src.py", "from src import half\n\n\ndef test_half():\n    assert half(4) == 2\n"),
    (".gitignore", "__pycache__/\n.nofx-junit.xml\n.pytest_cache/\n.ruff_cache/\n"),
];

#[tokio::test]
async fn the_tools_of_a_python_repository_are_found_and_read() {
    let person = Tenant::new().await.contributor();
    let repository = Repository::new(PYTHON);
    let (run, evidence) = gate(&person, &repository, "gate:unit", json!({})).await;
    assert_eq!(
        (run["status"].as_str(), evidence["verdict"].as_str(), &evidence["tests"]["passed"]),
        (Some("succeeded"), Some("pass"), &json!(1))
    );
    assert!(evidence["tool"]["version"].as_str().is_some_and(|version| version.starts_with("pytest ")), "{evidence}");
    assert!(
        evidence["inputs"]
            .as_array()
            .expect("inputs")
            .iter()
            .any(|one| one["digest"].as_str().is_some_and(|text| text.starts_with("gitTree:")))
    );
    assert_eq!(run["gates"][0]["evidence_uri"], step(&run, "gate")["outputs"]["evidence_uri"]);
    assert!(run["gates"][0]["evidence_id"].is_string(), "the gate's row leads to its evidence");

    repository.commit(&[("src.py", "import os\n\n\ndef half(n):\n    return n / 3\n")]);
    let (run, evidence) = gate(&person, &repository, "gate:unit", json!({})).await;
    assert_eq!((status(&run, "gate"), evidence["verdict"].as_str()), ("failed", Some("fail")));
    assert_eq!(evidence["findings"][0]["rule"], "test_src::test_half", "{evidence}");
    assert_eq!(step(&run, "gate")["error"]["details"]["findings"][0]["rule"], "test_src::test_half");
    let (_, evidence) = gate(&person, &repository, "gate:lint", json!({})).await;
    assert_eq!(found(&evidence), ["src.py:1 F401"]);
    repository.commit(&[("src.py", "import subprocess\nsubprocess.run('x', shell=True)\n")]);
    let (_, evidence) = gate(&person, &repository, "gate:sast", json!({"fail_on": "warning"})).await;
    assert!(evidence["verdict"] == "fail" && found(&evidence).iter().any(|one| one.starts_with("src.py:2 S6")), "{evidence}");
}

#[tokio::test]
async fn the_tools_of_a_typescript_repository_are_found_and_read() {
    let person = Tenant::new().await.contributor();
    let repository = Repository::new(&[
        ("package.json", r#"{"name": "x", "type": "module", "scripts": {"test": "node --test"}}"#),
        ("tsconfig.json", r#"{"compilerOptions": {"strict": true, "noEmit": true, "types": []}, "include": ["*.ts"]}"#),
        ("eslint.config.js", "export default [{ rules: { 'no-undef': 'error', 'no-unused-vars': 'warn' } }];\n"),
        ("a.ts", "export const n: number = 'one';\n"),
        ("a.js", "const unused = 1;\nmissing();\n"),
    ]);
    std::os::unix::fs::symlink(nofx_tests::stack::root().join("node_modules"), repository.dir.join("node_modules")).expect("a link");
    repository.commit(&[]);
    let (_, evidence) = gate(&person, &repository, "gate:typecheck", json!({})).await;
    assert_eq!((found(&evidence), evidence["tool"]["name"].as_str()), (vec!["a.ts:1 TS2322".to_owned()], Some("tsc")), "{evidence}");
    let (_, evidence) = gate(&person, &repository, "gate:lint", json!({})).await;
    assert_eq!(found(&evidence), ["a.js:2 no-undef", "a.js:1 no-unused-vars"], "the worst first");
    repository.commit(&[("a.ts", "export const n: number = 1;\n")]);
    let (run, _) = gate(&person, &repository, "gate:typecheck", json!({})).await;
    assert_eq!(status(&run, "gate"), "succeeded");
}

#[tokio::test]
async fn the_tools_of_a_rust_repository_are_found_and_read() {
    let person = Tenant::new().await.contributor();
    let repository = Repository::new(&[
        ("Cargo.toml", "[package]\nname = \"x\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n"),
        ("Cargo.lock", "version = 4\n\n[[package]]\nname = \"x\"\nversion = \"0.1.0\"\n"),
        (".gitignore", "target/\n"),
        ("src/lib.rs", "#[test]\nfn adds() {\n    let unused = 1;\n    assert_eq!(1 + 1, 3, \"it does not add\");\n}\n"),
    ]);
    #[expect(clippy::disallowed_methods, reason = "cargo is found where the tests have it")]
    let home = ["CARGO_HOME", "RUSTUP_HOME", "HOME"].map(|name| (name, std::env::var(name).unwrap_or_default()));
    let of = |name: &str, or: &str| {
        let found = home.iter().find(|(one, value)| *one == name && !value.is_empty());
        found.map_or_else(|| format!("{}/{or}", home[2].1), |(_, value)| value.clone())
    };
    let env = json!({"PATH": path_with_tools(), "CARGO_HOME": of("CARGO_HOME", ".cargo"), "RUSTUP_HOME": of("RUSTUP_HOME", ".rustup")});
    let steps = ["typecheck", "unit"]
        .map(|name| json!({"name": name, "tool": format!("gate:{name}"), "env": env, "needs": [], "on_failure": "continue"}));
    let run = person.run(json!({"goal": "rust", "workspace": repository.workspace("main"), "max_parallel": 1, "steps": steps})).await;
    let evidence = person.evidence(&run, "typecheck").await;
    assert_eq!(
        (evidence["verdict"].as_str(), found(&evidence)),
        (Some("pass"), vec!["src/lib.rs:3 unused_variables".to_owned()]),
        "{evidence}"
    );
    let evidence = person.evidence(&run, "unit").await;
    assert_eq!(found(&evidence), ["src/lib.rs:4 adds", "src/lib.rs:3 unused_variables"], "{evidence}");
    assert_eq!(evidence["tests"], json!({"passed": 0, "failed": 1, "skipped": 0}));
}

#[tokio::test]
async fn evidence_is_as_its_schema_says() {
    let person = Tenant::new().await.contributor();
    let (_, evidence) = gate(&person, &Repository::new(PYTHON), "gate:lint", json!({})).await;
    let read: Evidence = serde_json::from_value(evidence).expect("evidence of version 1");
    assert_eq!((read.schema.as_str(), read.gate.as_str()), (Evidence::SCHEMA, "gate:lint"));
    let (code, schema) = person.get("/api/schemas/evidence.json").await;
    assert_eq!((code.as_u16(), schema["title"].as_str()), (200, Some(Evidence::SCHEMA)));
}

#[tokio::test]
async fn a_gate_that_cannot_judge_stays_closed_and_says_why() {
    let person = Tenant::new().await.contributor();
    let repository = Repository::new(&[("README.md", "nothing\n"), ("src/notes.txt", "nothing\n")]);
    for (tool, inputs, why) in [
        ("gate:lint", json!({"command": "no-such-tool-at-all"}), "a required tool is missing"),
        ("gate:sast", json!({"command": "true", "report": "out.sarif"}), "could not read the report"),
        ("gate:sast", json!({"command": "echo no sarif", "format": "sarif"}), "output is not valid sarif"),
        ("gate:unit", json!({"cwd": "src"}), "no supported project file found"),
        ("gate:unit", json!({"command": "echo 'no tests ran in 0.00s'; echo '0 passed in 0.01s'"}), "no tests ran"),
        ("gate:audit", json!({}), "no lock file"),
        ("gate:coverage", json!({"base": "nowhere"}), "no merge base with nowhere"),
        ("gate:e2e_smoke", json!({"command": "no-such-tool-at-all"}), "a required tool is missing"),
    ] {
        let (run, evidence) = gate(&person, &repository, tool, inputs).await;
        assert_eq!((status(&run, "gate"), evidence["verdict"].as_str()), ("failed", Some("inconclusive")), "{tool}: {evidence}");
        assert!(evidence["summary"].as_str().is_some_and(|text| text.contains(why)), "{tool}: {evidence}");
        assert_eq!(run["gates"][0]["status"], "failed");
    }
}

#[tokio::test]
async fn a_summary_has_no_half_of_a_secret() {
    let person = Tenant::new().await.contributor();
    // The end of the output that the summary has begins within the secret.
    let gate = json!({"name": "lint", "tool": "gate:lint", "secrets": ["TEST_TOKEN"], "inputs": {"command": "printf \"$TEST_TOKEN%0290d\" 0; exit 1"}});
    let run = person.run(json!({"goal": "cut", "steps": [gate]})).await;
    let error = &step(&run, "lint")["error"];
    assert!(error["message"].as_str().is_some_and(|text| text.contains("exited with code 1") && text.ends_with("00000")), "{error}");
    assert!(!error.to_string().contains("unter2"), "{error}");
}

#[tokio::test]
async fn a_smoke_test_sees_stubs_and_is_refused_where_it_is_not_expected() {
    let person = Tenant::new().await.contributor();
    let repository = Repository::new(&[("smoke.sh", "test \"$DATABASE_URL\" = stub && test \"$NOFX_STUBBED\" = true\n")]);
    let (run, _) =
        gate(&person, &repository, "gate:e2e_smoke", json!({"command": "bash smoke.sh", "stubs": {"DATABASE_URL": "stub"}})).await;
    assert_eq!(run["status"], "succeeded", "{run}");
    let plan =
        plans::plan(vec![json!({"name": "gate", "tool": "gate:e2e_smoke", "inputs": {"command": "true"}, "secrets": ["DATABASE_URL"]})]);
    let (code, problem) = person.post("/api/runs", json!({"plan": plan})).await;
    let pointers: Vec<&str> = problem["errors"].as_array().expect("errors").iter().filter_map(|one| one["pointer"].as_str()).collect();
    assert_eq!((code.as_u16(), pointers), (422, vec!["/steps/0/tool", "/steps/0/secrets"]));
}

#[tokio::test]
async fn planted_secrets_are_found_and_hashes_are_not() {
    let person = Tenant::new().await.contributor();
    // Assembled here, so that this file contains no secret.
    let key = format!("AKIA{}", "Q3EGRZV5XKUT7JNB");
    let repository = Repository::new(&[
        ("Cargo.lock", &format!("checksum = \"{key}\"\n")),
        ("src/config.py", &format!("A = 1\nKEY = \"{key}\"\n")),
        ("key.pem", &format!("-----BEGIN {} KEY-----\nMIIB\n", "PRIVATE")),
        (
            "hashes.txt",
            "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\ntoken_id: 0191f0a2-7c3e-7b1a-9d2f-4e5a6b7c8d9e\n",
        ),
    ]);
    let (run, evidence) = gate(&person, &repository, "gate:secrets", json!({})).await;
    assert_eq!(found(&evidence), ["key.pem:1 private-key", "src/config.py:2 aws-access-key"]);
    assert!(!run.to_string().contains(&key) && !evidence.to_string().contains(&key), "a finding does not repeat the secret");
    let (run, _) = gate(&person, &repository, "gate:secrets", json!({"exclude": ["src/", "key.pem"]})).await;
    assert_eq!(status(&run, "gate"), "succeeded");
}

#[tokio::test]
async fn a_gate_that_takes_too_long_or_is_cancelled_leaves_no_verdict() {
    let tenant = Tenant::new().await;
    let person = tenant.contributor();
    let mut slow = json!({"name": "gate", "tool": "gate:unit", "inputs": {"command": "touch begun; sleep 600"}, "timeout_s": 1});
    let mut has_begun = false;
    // The limit is doubled as long as it had passed before the command started.
    while !has_begun {
        let run = person.run(plans::plan(vec![slow.clone()])).await;
        assert_eq!((status(&run, "gate"), &run["gates"]), ("timed_out", &json!([])));
        has_begun = workspace(run["id"].as_str().expect("an id")).join("begun").exists();
        slow["timeout_s"] = json!(slow["timeout_s"].as_u64().map(|seconds| seconds * 2));
    }
    slow["timeout_s"] = json!(600);
    let id = person.submit(plans::plan(vec![slow])).await;
    person.wait(&id, |run| status(run, "gate") == "running").await;
    person.post(&format!("/api/runs/{id}/cancel"), json!({})).await;
    let run = person.end(&id).await;
    assert_eq!((run["status"].as_str(), &run["gates"]), (Some("cancelled"), &json!([])));
}

#[tokio::test]
async fn a_gate_that_is_retried_is_judged_again() {
    let person = Tenant::new().await.contributor();
    let folder = plans::open_folder();
    let mended = folder.path().join("mended");
    let gate = json!({"name": "gate", "tool": "gate:unit", "inputs": {"command": format!("test -f {}", mended.display())}});
    let run = person.run(plans::plan(vec![gate])).await;
    assert_eq!(run["status"], "failed");
    let id = run["id"].as_str().expect("an id");
    std::fs::write(mended, "").expect("written");
    person.post(&format!("/api/runs/{id}/retry"), json!({})).await;
    let run = person.end(id).await;
    let verdicts: Vec<&str> = run["gates"].as_array().expect("gates").iter().filter_map(|gate| gate["status"].as_str()).collect();
    assert_eq!((run["status"].as_str(), verdicts), (Some("succeeded"), vec!["failed", "passed"]));
}
