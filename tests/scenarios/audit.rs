use nofx_shared::audit::{AuditEntry, AuditHead, Chain, ChainError};
use nofx_tests::stack::STACK;
use nofx_tests::{Person, Tenant};
use serde_json::{Value, json};

async fn verify(person: &Person) -> Result<(), ChainError> {
    let (_, page) = person.get("/api/audit?limit=1000").await;
    let head: AuditHead = serde_json::from_value(page["head"].clone()).expect("a head");
    let mut chain = Chain::default();
    for row in page["data"].as_array().expect("rows") {
        let entry: AuditEntry = serde_json::from_value(row.clone()).expect("a row");
        chain.follow(&entry)?;
    }
    chain.finish(&head)
}

/// Changes the audit log as only the table's owner can, by disabling its triggers.
async fn tamper(tenant: &Tenant, change: &str) {
    let log = "alter table nofx.audit_log";
    let text = format!(
        "begin; {log} disable trigger refuse_change; {log} no force row level security; {change};
         {log} force row level security; {log} enable trigger refuse_change; commit"
    );
    STACK.sql().await.batch_execute(&text.replace("TENANT", &tenant.id.to_string())).await.expect("the owner may all");
}

#[tokio::test]
async fn an_audit_log_that_the_owner_of_the_database_changed_is_detected() {
    let tenant = Tenant::new().await;
    let (admin, supervisor) = (tenant.admin(), tenant.supervisor());
    for n in 0..3 {
        let (status, _) = admin.post("/api/keys", json!({"name": format!("k{n}"), "role": "viewer"})).await;
        assert_eq!(status, 201);
    }
    let (_, page) = supervisor.get("/api/audit").await;
    let row = &page["data"][0];
    assert_eq!((row["action"].as_str(), row["seq"].as_i64()), (Some("api_key.created"), Some(1)));
    assert!(row["request_id"].is_string() && row["actor"].is_string(), "{row}");
    assert!(row["payload"].as_str().is_some_and(|payload| payload.contains("\"k0\"")), "{row}");
    assert_eq!(verify(&supervisor).await, Ok(()));
    assert_eq!(tenant.contributor().get("/api/audit").await.0, 403);

    tamper(&tenant, "update nofx.audit_log set actor = 'nobody' where tenant_id = 'TENANT' and seq = 2").await;
    assert_eq!(verify(&supervisor).await, Err(ChainError::Changed(2)));
    let gap =
        "delete from nofx.audit_payload where tenant_id = 'TENANT'; delete from nofx.audit_log where tenant_id = 'TENANT' and seq = 2";
    tamper(&tenant, gap).await;
    assert_eq!(verify(&supervisor).await, Err(ChainError::Missing { missing: 2, found: 3 }));
    tamper(&tenant, "delete from nofx.audit_log where tenant_id = 'TENANT'").await;
    assert_eq!(verify(&supervisor).await, Err(ChainError::Cut { expected: 3, found: 0 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_verifies_and_exports_the_audit_log() {
    let tenant = Tenant::new().await;
    for n in 0..3 {
        tenant.admin().post("/api/keys", json!({"name": format!("k{n}"), "role": "viewer"})).await;
    }
    let supervisor = tenant.supervisor();
    let printed = supervisor.nofx(&["audit", "verify", "--json"]);
    assert_eq!((printed.code, &printed.json()["valid"]), (Some(0), &json!(true)), "{printed:?}");
    let printed = supervisor.nofx(&["audit", "export"]);
    let numbers: Vec<_> = printed.out.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")["seq"].as_i64()).collect();
    assert_eq!((printed.code, numbers), (Some(0), vec![Some(1), Some(2), Some(3)]), "{printed:?}");
    tamper(&tenant, "update nofx.audit_log set actor = 'nobody' where tenant_id = 'TENANT' and seq = 2").await;
    let printed = supervisor.nofx(&["audit", "verify", "--json"]);
    assert_eq!((printed.code, &printed.json()["valid"]), (Some(1), &json!(false)), "{printed:?}");
    tamper(
        &tenant,
        "delete from nofx.audit_payload where tenant_id = 'TENANT'; delete from nofx.audit_log where tenant_id = 'TENANT' and seq > 1",
    )
    .await;
    assert_eq!(supervisor.nofx(&["audit", "verify"]).code, Some(1), "an end that is missing is found too");
}

#[tokio::test]
async fn payloads_are_sealed_when_they_are_written_and_read_again_through_the_api() {
    let tenant = Tenant::new().await;
    tenant.admin().post("/api/keys", json!({"name": "secret-name", "role": "viewer"})).await;
    let row = STACK.sql().await.query_one("select sealed, key_id from nofx.audit_payload where tenant_id = $1", &[&tenant.id]).await;
    let row = row.expect("a payload");
    let (sealed, key): (String, String) = (row.get(0), row.get(1));
    assert!(key == "dev" && !sealed.contains("secret-name"), "{sealed}");
    let (_, page) = tenant.supervisor().get("/api/audit").await;
    assert!(page["data"][0]["payload"].as_str().is_some_and(|payload| payload.contains("secret-name")), "{page}");
    assert_eq!(verify(&tenant.supervisor()).await, Ok(()));
}

#[tokio::test]
async fn what_steers_a_run_and_the_secrets_that_a_step_uses_are_in_the_log() {
    let tenant = Tenant::new().await;
    let contributor = tenant.contributor();
    let steps = json!([{"name": "a", "tool": "bash", "secrets": ["NOT_THERE"], "inputs": {"script": "true"}}]);
    let run = contributor.run(json!({"goal": "secrets", "steps": steps})).await;
    assert_eq!(run["status"], "failed", "there is no such secret: {run}");
    let id = run["id"].as_str().expect("an id");
    let (_, page) = tenant.supervisor().get("/api/audit").await;
    let rows: Vec<_> = page["data"].as_array().expect("rows").iter().map(|row| (&row["action"], &row["run_id"], &row["target"])).collect();
    assert_eq!(rows, [(&json!("run.submitted"), &json!(id), &json!(id)), (&json!("secret.used"), &json!(id), &json!("NOT_THERE"))]);
    assert_eq!(verify(&tenant.supervisor()).await, Ok(()));
}

#[tokio::test]
async fn nothing_of_a_hook_rests_in_plain_text() {
    let tenant = Tenant::new().await;
    let admin = tenant.admin();
    let webhook = json!({"name": "w", "phase": "post", "target": {"kind": "webhook", "url": "https://example.com/token-of-the-url"}});
    let (status, set) = admin.post("/api/hooks", webhook.clone()).await;
    assert_eq!((status.as_u16(), &set["target"]), (200, &webhook["target"]), "{set}");
    let secret = set["secret"].as_str().expect("a secret");
    let tool = json!({"name": "t", "phase": "post", "target": {"kind": "tool", "tool": "noop", "inputs": {"key": "token-of-the-inputs"}}});
    assert_eq!(admin.post("/api/hooks", tool.clone()).await.0, 200);
    let source = json!({"name": "s", "provider": "github", "secret": "token-of-the-source"});
    assert_eq!(admin.post("/api/hooks/sources", source).await.0, 200);
    assert_eq!(admin.post("/api/hooks/sources", json!({"name": "s", "provider": "github", "secret": "fifteen letters"})).await.0, 422);
    let rows = "select (select string_agg(to_jsonb(h)::text, '') from nofx.hook h where h.tenant_id = $1)
        || (select to_jsonb(s)::text from nofx.webhook_source s where s.tenant_id = $1)
        || (select string_agg(to_jsonb(p)::text, '') from nofx.audit_payload p where p.tenant_id = $1)";
    let rows: String = STACK.sql().await.query_one(rows, &[&tenant.id]).await.expect("rows").get(0);
    assert!(!rows.contains("token-of") && !rows.contains(secret) && rows.contains("example.com:443"), "{rows}");
    let (_, listed) = tenant.supervisor().get("/api/hooks").await;
    assert_eq!((&listed["data"][0]["target"], &listed["data"][1]["target"]), (&tool["target"], &webhook["target"]), "{listed}");
}
