use nofx_tests::Tenant;
use nofx_tests::people::{Person, step};
use nofx_tests::repository::Repository;
use serde_json::{Value, json};

/// A program that prints a report as an auditor does, which would need the network, and ends with a code.
pub(super) fn program(report: &str, code: u8) -> String {
    format!("#!/bin/sh\n[ \"$1\" = --version ] && echo 10.1.0 && exit 0\ncat <<'REPORT'\n{report}\nREPORT\nexit {code}\n")
}

/// Files of a repository with programs in `bin`.
pub(super) fn commit(repository: &Repository, files: &[(&str, &str)]) {
    repository.commit(files);
    for (name, text) in files.iter().filter(|(name, text)| name.starts_with("bin/") && !text.is_empty()) {
        assert!(text.starts_with("#!"), "{name} is a program");
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(repository.dir.join(name), executable).expect("executable");
    }
    repository.commit(&[]);
}

/// Runs the gate with the repository's programs; the evidence and the run.
pub(super) async fn audit(person: &Person, repository: &Repository, inputs: Value) -> (Value, Value) {
    let run = person
        .run(json!({"goal": "audit", "workspace": repository.workspace("main"), "steps": [
            {"name": "where", "tool": "bash", "inputs": {"script": "printf '{\"dir\": \"%s\"}' \"$PWD\" > \"$NOFX_OUTPUT\""}},
            {"name": "gate", "tool": "gate:audit", "inputs": inputs, "env": {"PATH": "${{ steps.where.outputs.dir }}/bin:/usr/bin:/bin"}}]}))
        .await;
    (person.evidence(&run, "gate").await, run)
}

/// Findings as `file rule`.
pub(super) fn found(evidence: &Value) -> Vec<String> {
    let findings = evidence["findings"].as_array().expect("findings").iter();
    findings.map(|one| format!("{} {}", one["file"].as_str().expect("a file"), one["rule"].as_str().expect("a rule"))).collect()
}

#[tokio::test]
async fn advisories_fail_the_audit_and_an_auditor_without_data_too() {
    let person = Tenant::new().await.contributor();
    let report = r#"{"auditReportVersion": 2, "metadata": {"vulnerabilities": {"high": 1, "total": 1}},
        "vulnerabilities": {"left": {"severity": "high", "via": [{"title": "bad", "severity": "high", "range": "<2", "url": "https://x/GHSA-1"}]}}}"#;
    let repository = Repository::new(&[]);
    commit(&repository, &[("package-lock.json", "{\"lockfileVersion\": 3, \"packages\": {}}\n"), ("bin/npm", &program(report, 1))]);
    let (evidence, _) = audit(&person, &repository, json!({})).await;
    assert_eq!((evidence["verdict"].as_str(), found(&evidence)), (Some("fail"), vec!["package-lock.json GHSA-1".to_owned()]), "{evidence}");
    let (_, run) = audit(&person, &repository, json!({"accept": {"GHSA-1": "not reachable"}})).await;
    assert_eq!(run["status"], "succeeded", "{run}");
    repository.commit(&[("bin/npm", &program("{\"error\": {\"code\": \"ENOTFOUND\"}}", 1))]);
    let (evidence, _) = audit(&person, &repository, json!({})).await;
    assert_eq!(evidence["verdict"], "inconclusive", "{evidence}");
}

#[tokio::test]
async fn each_lock_file_is_audited_by_its_own_tool() {
    let person = Tenant::new().await.contributor();
    let repository = Repository::new(&[]);
    let pnpm = r#"{"advisories": {}, "metadata": {"vulnerabilities": {"high": 0}}}"#;
    let yarn =
        r#"{"value":"a","children":{"ID":1,"Issue":"bad","URL":"https://h.example/GHSA-2","Severity":"high","Vulnerable Versions":"<2"}}"#;
    let uv = r#"{"summary": {"audited_packages": 1, "vulnerabilities": 1, "adverse_statuses": 0}, "adverse_statuses": [],
        "vulnerabilities": [{"dependency": {"name": "r", "version": "1"}, "id": "PYSEC-1", "aliases": ["CVE-1"], "summary": "bad"}]}"#;
    let go = r#"{"config": {"protocol_version": "v1.0.0", "scan_level": "symbol"}}
{"finding": {"osv": "GO-1", "trace": [{"module": "h.example/m", "version": "v1", "package": "h.example/m", "function": "F"}]}}"#;
    // What pip-audit prints names the packages that it was given, one version of each in a run.
    let pip = r#"#!/bin/sh
[ "$1" = --version ] && echo 10.1.0 && exit 0
for file; do :; done
sed 's/\(.*\)==\(.*\)/{"name": "\1", "version": "\2", "vulns": []}/' "$file" | paste -sd, | sed 's/\(.*\)/{"dependencies": [\1]}/'
"#;
    commit(
        &repository,
        &[
            ("pnpm-lock.yaml", "lockfileVersion: '9.0'\n"),
            ("yarn.lock", "__metadata:\n  version: 8\n"),
            ("uv.lock", "version = 1\n[[package]]\nname = \"own\"\nsource = { virtual = \".\" }\n"),
            (
                "poetry.lock",
                "[[package]]\nname = \"p\"\nversion = \"1\"\n[[package]]\nname = \"p\"\nversion = \"2\"\n[[package]]\nname = \"q\"\nversion = \"1\"\n[metadata]\nlock-version = \"2.1\"\n",
            ),
            ("go.mod", "module h.example/own\n"),
            ("bin/pnpm", &program(pnpm, 0)),
            ("bin/yarn", &program(yarn, 1)),
            ("bin/uv", &program(uv, 1)),
            ("bin/pip-audit", pip),
            ("bin/govulncheck", &program(go, 0)),
        ],
    );
    let (evidence, _) = audit(&person, &repository, json!({})).await;
    let all = ["go.mod GO-1", "uv.lock PYSEC-1", "yarn.lock GHSA-2"].map(str::to_owned).to_vec();
    assert_eq!((evidence["verdict"].as_str(), found(&evidence)), (Some("fail"), all), "{evidence}");
    assert_eq!(evidence["tool"]["name"], "pnpm, yarn, pip-audit, uv, govulncheck");
    assert_eq!(evidence["tool"]["version"], "10.1.0, 10.1.0, 10.1.0, 10.1.0, 10.1.0");

    let accept = json!({"accept": {"GO-1": "a", "CVE-1": "another name of it", "GHSA-2": "b"}});
    let (evidence, run) = audit(&person, &repository, accept.clone()).await;
    assert_eq!((run["status"].as_str(), found(&evidence)), (Some("succeeded"), vec![]), "{evidence}");

    // One tool of five that says nothing is enough.
    for (name, text, why) in [
        ("bin/pip-audit", program(r#"{"dependencies": [{"name": "p", "version": "1", "vulns": []}]}"#, 0), "q was not audited"),
        ("bin/uv", program(uv, 1).replace("10.1.0", "hello"), "uv is missing or broken: `uv --version` printed no version"),
        ("bin/pip-audit", String::new(), "pip-audit is missing or broken: `pip-audit --version` printed no version"),
    ] {
        repository.commit(&[(name, &text)]);
        let (evidence, _) = audit(&person, &repository, accept.clone()).await;
        let summary = evidence["summary"].as_str().unwrap_or_default();
        assert!(evidence["verdict"] == "inconclusive" && summary.contains(why), "{evidence}");
    }
}

#[tokio::test]
async fn an_advisory_is_accepted_for_a_reason() {
    let person = Tenant::new().await.contributor();
    let repository = Repository::new(&[("package-lock.json", "{}\n")]);
    for reason in ["", " \t\u{a0}"] {
        let run = person
            .run(json!({"goal": "audit", "workspace": repository.workspace("main"), "steps": [
                {"name": "gate", "tool": "gate:audit", "inputs": {"accept": {"GHSA-1": reason}}}]}))
            .await;
        let message = step(&run, "gate")["error"]["message"].as_str().unwrap_or_default();
        assert_eq!(message, "inputs of gate:audit: `accept` gives no reason for GHSA-1", "{run}");
    }
}
