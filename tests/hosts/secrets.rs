//! Secret stores: a step gets what it names, and the value is found nowhere afterwards.

use std::path::Path;

use nofx_tests::fakes::otlp::{Receiver, Span};
use nofx_tests::own::Own;
use serde_json::{Value, json};

const NAME: &str = "DEPLOY_TOKEN";
const PLANTED: &str = "planted-7f3a9c55e1";

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_of_the_environment_is_used_and_seen_nowhere() {
    let receiver = Receiver::start().await;
    let own = start("env", &receiver, &[("NOFX_SECRET_DEPLOY_TOKEN", PLANTED)], &[]);
    is_used_and_seen_nowhere(&own, &receiver).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_of_supabase_vault_is_used_and_seen_nowhere_else() {
    let receiver = Receiver::start().await;
    let own = start("vault", &receiver, &[("SECRETS_DRIVER", "vault")], &[]);
    let tenant = own.tenant().await;
    let sql = own.sql().await;
    sql.execute("select vault.create_secret($1, $2)", &[&PLANTED, &format!("{tenant}/{NAME}")]).await.expect("made");
    is_used_and_seen_nowhere(&own, &receiver).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_of_secrets_manager_is_used_seen_nowhere_and_rotated() {
    let receiver = Receiver::start().await;
    let own = start("secrets-manager", &receiver, &[("SECRETS_DRIVER", "aws"), ("SECRETS_TTL_S", "1")], &["--queue", "sqs"]);
    let id = format!("nofx/{}", own.tenant().await);
    let value = |token: &str| json!({NAME: token, "OTHER": "not-named-by-any-step"}).to_string();
    manager(&own, "CreateSecret", &json!({"Name": id, "SecretString": value(PLANTED)})).await;
    is_used_and_seen_nowhere(&own, &receiver).await;

    manager(&own, "PutSecretValue", &json!({"SecretId": id, "SecretString": value("rotated-55aa")})).await;
    let script = json!({"script": format!("test \"${NAME}\" = rotated-55aa; test -z \"${{OTHER:-}}\"")});
    let rotated = json!({"goal": "rotated", "steps": [{"name": "a", "tool": "bash", "inputs": script, "secrets": [NAME]}]});
    let begun = std::time::Instant::now();
    while own.run(&rotated).await["status"] != "succeeded" {
        assert!(begun.elapsed().as_secs() < 60, "the old one is used on");
    }
}

fn start(name: &str, receiver: &Receiver, settings: &[(&str, &str)], arguments: &[&str]) -> Own {
    let traces = [("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url.as_str()), ("OTEL_BSP_SCHEDULE_DELAY", "200"), ("RUST_LOG", "debug")];
    let own = [("NOFX_ALLOW_PRIVATE_ADDRESSES", "true")];
    let settings: Vec<(&str, &str)> = settings.iter().copied().chain(traces).chain(own).collect();
    Own::start_with(&Own::folder(name), arguments, &settings)
}

/// Steps print it, write it into outputs and errors, and send it; then everything that was written is searched.
async fn is_used_and_seen_nowhere(own: &Own, receiver: &Receiver) {
    let dev = own.dev();
    // The plan is stored: it must not contain the value either.
    let right = format!("test \"${NAME}\" = \"$(printf '%s-%s' planted 7f3a9c55e1)\"");
    let talk = format!(r#"echo "printed ${NAME}"; echo "{{\"token\": \"${NAME}\"}}" > "$NOFX_OUTPUT""#);
    let api = dev["api_url"].as_str().expect("a URL");
    let send =
        json!({"url": format!("{api}/api/runs"), "headers": {"authorization": format!("Bearer ${{{NAME}}}")}, "expected_status": [401]});
    let steps = json!([
        {"name": "right", "tool": "bash", "needs": [], "inputs": {"script": right}, "secrets": [NAME]},
        {"name": "talk", "tool": "bash", "needs": [], "inputs": {"script": talk}, "secrets": [NAME]},
        {"name": "fail", "tool": "bash", "needs": [], "inputs": {"script": format!("echo ${NAME} >&2; exit 3")}, "secrets": [NAME], "on_failure": "continue"},
        {"name": "send", "tool": "http", "needs": [], "inputs": send, "secrets": [NAME]},
        {"name": "deny", "tool": "bash", "needs": [], "inputs": {"script": format!("test -z \"${{{NAME}:-}}\"")}},
    ]);
    let run = own.run(&json!({"goal": "secrets", "steps": steps})).await;
    let statuses: Vec<&str> = run["steps"].as_array().expect("steps").iter().filter_map(|step| step["status"].as_str()).collect();
    assert_eq!(statuses, ["succeeded", "succeeded", "failed", "succeeded", "succeeded"], "{run}");
    assert_eq!(run["steps"][1]["outputs"]["token"], "***");

    // Each of the four processes, and each of the five steps, which end after what they do.
    let of = |spans: &[Span], what: &str| spans.iter().filter(|span| span.name.starts_with(what)).count();
    receiver.wait("spans of all steps", |spans| of(spans, "process bash") >= 4 && of(spans, "step ") >= 5).await;
    let found = |text: &[u8]| text.windows(PLANTED.len()).any(|window| window == PLANTED.as_bytes());
    assert!(!found(&receiver.bytes()), "in a span");
    let mut looked = 0;
    for path in files(&own.dir) {
        // Vault's own table and the write-ahead log below Postgres hold it by design; what NOFX wrote there is searched as rows.
        if path.components().any(|part| part.as_os_str() == "postgres") {
            continue;
        }
        looked += 1;
        assert!(!found(&std::fs::read(&path).unwrap_or_default()), "in {}", path.display());
    }
    assert!(looked > 3, "logs and objects were not found");
    let rows = "select string_agg(query_to_xml(format('select * from %I.%I', schemaname, tablename), true, false, '')::text, ' ')
                  from pg_tables where schemaname in ('nofx', 'nofx_private', 'storage', 'realtime')";
    let rows: String = own.sql().await.query_one(rows, &[]).await.expect("all rows").get(0);
    assert!(rows.contains("printed ***") && !found(rows.as_bytes()), "in a row");
}

fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(dir) else { return vec![] };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

pub(crate) async fn manager(own: &Own, call: &str, body: &Value) {
    let dev = own.dev();
    let request = nofx_shared::net::client().post(dev["queue"]["AWS_ENDPOINT_URL"].as_str().expect("a URL"));
    let request = request.header("x-amz-target", format!("secretsmanager.{call}")).header("content-type", "application/x-amz-json-1.1");
    // Names the service; the emulator checks no more of a signature.
    let scope = "AWS4-HMAC-SHA256 Credential=nofx/20260101/us-east-1/secretsmanager/aws4_request, SignedHeaders=host, Signature=0";
    let request = request.header("authorization", scope);
    let answer = request.body(body.to_string()).send().await.expect("moto answers");
    assert!(answer.status().is_success(), "{call}: {}", answer.text().await.unwrap_or_default());
}
