#![expect(clippy::disallowed_methods, reason = "starts the CLI and Python as a user would")]

use std::process::{Command, Output};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nofx_tests::people::{Person, status, step};
use nofx_tests::plans::plan;
use nofx_tests::repository::Repository;
use nofx_tests::stack::{STACK, binary, target};
use nofx_tests::{Tenant, own};
use serde_json::{Value, json};

/// A finished run that makes a file in a checkout, gates it, and uses it again.
async fn made(person: &Person, repository: &Repository) -> Value {
    person
        .run(json!({"goal": "make", "workspace": repository.workspace("main"), "steps": [
            {"name": "build", "tool": "bash", "secrets": ["TEST_TOKEN"], "inputs": {"script": "mkdir dist && echo built | tee dist/app.txt", "artifacts": ["dist/app.txt"]}},
            {"name": "gate", "tool": "gate:secrets", "needs": ["build"]},
            {"name": "use", "tool": "bash", "needs": ["gate", "build"], "inputs": {
                "fetch": {"in/app.txt": "${{ steps.build.outputs.artifacts['dist/app.txt'] }}"}, "script": "cat in/app.txt"}}]}))
        .await
}

fn id_of<'a>(run: &'a Value, name: &str) -> &'a str {
    let artifacts = run["artifacts"].as_array().expect("artifacts");
    artifacts
        .iter()
        .find(|one| one["name"] == name)
        .and_then(|one| one["id"].as_str())
        .unwrap_or_else(|| panic!("no artifact {name}: {run}"))
}

async fn statements(person: &Person, artifact: &str) -> Vec<Value> {
    let (_, page) = person.get(&format!("/api/artifacts/{artifact}/attestations")).await;
    let envelopes = page["data"].as_array().expect("statements").iter();
    let payload = |one: &Value| STANDARD.decode(one["envelope"]["payload"].as_str().expect("a payload")).expect("base64");
    envelopes.map(|one| serde_json::from_slice(&payload(one)).expect("JSON")).collect()
}

/// Has the reference implementation of in-toto check an attestation.
fn check_with_python(statement: &Value) {
    let program = r"
import json, sys
from google.protobuf import json_format
import in_toto_attestation.v1.statement as s, in_toto_attestation.v1.statement_pb2 as spb
import in_toto_attestation.predicates.provenance.v1.provenance_pb2 as ppb
import in_toto_attestation.predicates.test_result.v0.test_result_pb2 as tpb
given = json.load(sys.stdin)
s.Statement.copy_from_pb(json_format.ParseDict(given, spb.Statement())).validate()
kind = given['predicateType']
if kind == 'https://slsa.dev/provenance/v1':
    made = json_format.ParseDict(given['predicate'], ppb.Provenance())
    assert made.build_definition.build_type and made.run_details.builder.id
elif kind.endswith('test-result/v0.1'):
    json_format.ParseDict(given['predicate'], tpb.TestResult())
";
    let mut child = Command::new(target().join("python/bin/python"))
        .args(["-c", program])
        .stdin(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("Python starts");
    serde_json::to_writer(child.stdin.take().expect("a pipe"), statement).expect("written");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{statement}: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn every_artifact_comes_with_an_attestation_of_its_provenance() {
    let person = Tenant::new().await.contributor();
    let repository = Repository::new(&[("README.md", "hello\n")]);
    let run = made(&person, &repository).await;
    assert_eq!(run["status"], "succeeded", "{run}");
    for artifact in run["artifacts"].as_array().expect("artifacts") {
        let attested = statements(&person, artifact["id"].as_str().expect("an id")).await;
        attested.iter().for_each(check_with_python);
        let digest = artifact["hash"].as_str().and_then(|hash| hash.strip_prefix("sha256:")).expect("a digest");
        assert_eq!(
            (attested[0]["predicateType"].as_str(), &attested[0]["subject"][0]["digest"]["sha256"]),
            (Some("https://slsa.dev/provenance/v1"), &json!(digest))
        );
    }
    let made = &statements(&person, id_of(&run, "dist/app.txt")).await[0]["predicate"];
    assert_eq!(made["buildDefinition"]["externalParameters"]["tool"], "bash");
    let commit = repository.git(&["rev-parse", "main"]);
    assert_eq!(made["buildDefinition"]["resolvedDependencies"][0]["digest"]["gitCommit"], commit.trim());
    let wanted =
        format!("nofx:run/{}/step/{}/attempt/1", run["id"].as_str().expect("an id"), step(&run, "build")["id"].as_str().expect("an id"));
    assert_eq!(made["runDetails"]["metadata"]["invocationId"], wanted);

    let gate = statements(&person, id_of(&run, "gate-secrets.json")).await;
    assert_eq!(
        (gate[1]["predicateType"].as_str(), gate[1]["predicate"]["result"].as_str()),
        (Some("https://in-toto.io/attestation/test-result/v0.1"), Some("PASSED"))
    );
    assert!(gate[1]["subject"].as_array().expect("subjects").iter().any(|one| one["digest"]["gitTree"].is_string()), "what was judged");
    let log = &statements(&person, id_of(&run, "log-1.txt")).await[0];
    assert!(!log.to_string().contains("hunter2"), "secrets are masked in statements too");
    let used =
        run["artifacts"].as_array().expect("artifacts").iter().find(|one| one["step_id"] == step(&run, "use")["id"]).expect("its log");
    let used = &statements(&person, used["id"].as_str().expect("an id")).await[0];
    assert!(used["predicate"]["buildDefinition"]["resolvedDependencies"].to_string().contains("nofx:artifact/"), "{used}");
}

#[tokio::test]
async fn an_approval_leaves_a_signed_attestation() {
    let tenant = Tenant::new().await;
    let supervisor = tenant.supervisor();
    let id = tenant.contributor().submit(plan(vec![json!({"name": "go", "tool": "manual:deploy"})])).await;
    let run = supervisor.wait(&id, |run| run["gates"][0]["status"] == "pending").await;
    supervisor.post(&format!("/api/gates/{}/approve", run["gates"][0]["id"].as_str().expect("an id")), json!({})).await;
    supervisor.end(&id).await;
    let rows = STACK
        .sql()
        .await
        .query("select envelope->>'payload' from nofx.attestation where run_id = $1", &[&id.parse::<uuid::Uuid>().expect("an id")])
        .await;
    let payload: String = rows.expect("rows")[0].get(0);
    let statement: Value = serde_json::from_slice(&STANDARD.decode(payload).expect("base64")).expect("JSON");
    check_with_python(&statement);
    assert_eq!(
        (statement["predicateType"].as_str(), &statement["predicate"]["properties"]),
        (Some("https://in-toto.io/attestation/svr/v0.2"), &json!(["NOFX_DEPLOY_PASSED"]))
    );
}

fn nofx(token: &str, arguments: &[&str]) -> Output {
    Command::new(binary())
        .args(arguments)
        .env("NOFX_API_URL", STACK.get("api_url"))
        .env("NOFX_TOKEN", token)
        .output()
        .expect("the CLI starts")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_artifact_is_verified_offline_and_a_changed_one_is_not() {
    let person = Tenant::new().await.contributor();
    let run = made(&person, &Repository::new(&[("README.md", "hello\n")])).await;
    let id = id_of(&run, "dist/app.txt");
    let folder = own::Own::folder("verify");
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let got = nofx(&person.token, &["artifact", "get", id, "--output", &path("app.txt"), "--attestations"]);
    assert!(got.status.success(), "{}", String::from_utf8_lossy(&got.stderr));
    let (_, keys) = person.get("/.well-known/nofx-keys.json").await;
    std::fs::write(folder.join("keys.json"), keys.to_string()).expect("written");
    let offline = |file: &str, attestation: &str| {
        let arguments =
            ["artifact", "verify", &path(file), "--attestation", &path(attestation), "--keys", &path("keys.json")].map(str::to_owned);
        Command::new(binary()).args(arguments).env_clear().current_dir(&folder).output().expect("the CLI starts")
    };
    let good = offline("app.txt", "app.txt.attestations.json");
    assert!(
        good.status.success() && String::from_utf8_lossy(&good.stdout).contains("made by bash"),
        "{}",
        String::from_utf8_lossy(&good.stderr)
    );
    assert!(nofx(&person.token, &["artifact", "verify", id]).status.success(), "online too");

    std::fs::write(folder.join("app.txt"), "changed\n").expect("written");
    let other = offline("app.txt", "app.txt.attestations.json");
    assert!(
        !other.status.success() && String::from_utf8_lossy(&other.stderr).contains("the content differs"),
        "{}",
        String::from_utf8_lossy(&other.stderr)
    );
    let statements = std::fs::read_to_string(folder.join("app.txt.attestations.json")).expect("text");
    let payload =
        serde_json::from_str::<Value>(&statements).expect("JSON")["data"][0]["envelope"]["payload"].as_str().expect("a payload").to_owned();
    let text = String::from_utf8(STANDARD.decode(&payload).expect("base64")).expect("text").replace("bash", "cash");
    std::fs::write(folder.join("forged.json"), statements.replace(&payload, &STANDARD.encode(text))).expect("written");
    std::fs::write(folder.join("app.txt"), "built\n").expect("written");
    let forged = offline("app.txt", "forged.json");
    assert!(
        !forged.status.success() && String::from_utf8_lossy(&forged.stderr).contains("no valid signature"),
        "{}",
        String::from_utf8_lossy(&forged.stderr)
    );
    drop(std::fs::remove_dir_all(folder));
}

#[tokio::test]
async fn lineage_goes_from_step_to_artifact_to_step_across_runs() {
    let person = Tenant::new().await.contributor();
    let first = made(&person, &Repository::new(&[("README.md", "hello\n")])).await;
    let artifact = id_of(&first, "dist/app.txt");
    let second = person
        .run(plan(vec![
            json!({"name": "ship", "tool": "bash", "inputs": {"fetch": {"app.txt": artifact}, "script": "grep built app.txt"}}),
            json!({"name": "out", "tool": "bash", "needs": [], "on_failure": "skip",
                "inputs": {"fetch": {"../app.txt": artifact}, "script": "true"}}),
        ]))
        .await;
    assert_eq!(
        (status(&second, "ship"), status(&second, "out")),
        ("succeeded", "failed"),
        "nothing is put outside of the workspace: {second}"
    );
    let id = second["id"].as_str().expect("an id");
    let (_, lineage) = person.get(&format!("/api/runs/{id}/lineage")).await;
    let has = |from: &Value, to: &Value, kind: &str| {
        lineage["edges"].as_array().expect("edges").iter().any(|edge| edge["from"] == *from && edge["to"] == *to && edge["kind"] == kind)
    };
    assert!(has(&step(&first, "build")["id"], &json!(artifact), "produced"), "the step of the other run is there: {lineage}");
    assert!(has(&json!(artifact), &step(&second, "ship")["id"], "consumed"));
    let (_, lineage) = person.get(&format!("/api/runs/{}/lineage", first["id"].as_str().expect("an id"))).await;
    assert!(lineage.to_string().contains(step(&second, "ship")["id"].as_str().expect("an id")), "and it is known what was made of it");
    let request = person.request(reqwest::Method::GET, &format!("/api/runs/{id}/lineage?format=svg"));
    let drawn = request.send().await.expect("an answer").text().await.expect("text");
    assert!(drawn.starts_with("<svg") && drawn.contains("dist/app.txt"), "{drawn}");
}

#[tokio::test]
async fn the_same_bytes_are_kept_once_and_a_file_with_a_secret_is_not_kept() {
    let person = Tenant::new().await.contributor();
    let make = |script: &str| json!({"name": "a", "tool": "bash", "secrets": ["TEST_TOKEN"], "inputs": {"script": script, "artifacts": ["x.bin"]}});
    let run = person.run(plan(vec![make("head -c 2000000 /dev/zero > x.bin")])).await;
    let again = person.run(plan(vec![make("head -c 2000000 /dev/zero > x.bin")])).await;
    let sql = STACK.sql().await;
    let ids = [&run, &again].map(|run| id_of(run, "x.bin").parse::<uuid::Uuid>().expect("an id"));
    let rows = sql.query("select distinct blob from nofx.artifact where id = any ($1)", &[&ids.to_vec()]).await.expect("rows");
    let blob: String = rows[0].get(0);
    assert_eq!(rows.len(), 1);
    let kept = sql.query_one("select count(*) from storage.objects where name = $1", &[&blob]).await.expect("a count");
    assert_eq!(kept.get::<_, i64>(0), 1);
    let run = person.run(plan(vec![make("head -c 1048570 /dev/zero > x.bin; echo -n $TEST_TOKEN >> x.bin")])).await;
    assert!(step(&run, "a")["error"]["message"].as_str().is_some_and(|text| text.contains("contains a secret")), "{run}");
}
