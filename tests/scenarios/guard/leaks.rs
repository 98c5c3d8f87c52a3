//! Generated from the database's own catalogue: every new table or function is tried here, too, by an outsider and without credentials.

use nofx_shared::auth::{Role, sign_for_api};
use nofx_tests::people::{status, step as found};
use nofx_tests::sealing::CALL_KEY;
use nofx_tests::stack::STACK;
use nofx_tests::{Person, Tenant};
use reqwest::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::catalogue::{COLUMNS, Function, functions, value};

/// Calls PostgREST, below the gateway, as the API does.
pub(super) async fn ask(method: Method, path: &str, token: Option<&str>, body: Option<&Value>) -> (StatusCode, String) {
    let url = format!("{}/{path}", STACK.get("rest_url"));
    let request = nofx_shared::net::client().request(method, url).header("accept-profile", "nofx").header("content-profile", "nofx");
    let mut request = request.header("x-nofx-audit-key", CALL_KEY);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if let Some(body) = body {
        request = request.json(body);
    }
    let response = request.send().await.expect("PostgREST answers");
    (response.status(), response.text().await.unwrap_or_default())
}

/// A token with which the API acts for a person of the tenant.
pub(super) fn by_api(tenant: &Tenant, role: Role) -> String {
    sign_for_api(STACK.get("jwt_secret"), "someone", tenant.id, role, None)
}

/// Texts that no response to an outsider may contain.
struct Secrets(Vec<String>);

impl Secrets {
    fn check(&self, what: &str, answer: &str) {
        for secret in &self.0 {
            assert!(!answer.contains(secret.as_str()), "{what} shows {secret}: {answer}");
        }
    }
}

/// A tenant with something in as many tables as a test can fill, and a mark in all of it.
async fn belongings(tenant: &Tenant, mark: &str) -> Value {
    let (person, admin) = (tenant.contributor(), tenant.admin());
    let step = |name: &str, tool: &str, inputs: Value| json!({"name": name, "tool": tool, "needs": [], "inputs": inputs});
    let steps = json!([step(mark, "bash", json!({"script": format!("echo {mark}")})), step("ask", "manual:x", json!({"question": mark}))]);
    let id = person.submit(json!({"goal": mark, "steps": steps})).await;
    // Both are settled: the run does not change by itself any more.
    let run = person.wait(&id, |run| status(run, mark) == "succeeded" && found(run, "ask")["waits_for"] == "gate").await;
    admin.post("/api/keys", json!({"name": mark, "role": "admin"})).await;
    admin
        .post(
            "/api/hooks",
            json!({"name": mark, "phase": "post", "filter": "false", "target": {"kind": "webhook", "url": "https://example.com"}}),
        )
        .await;
    admin.post("/api/hooks/sources", json!({"name": mark, "provider": "github", "secret": format!("{mark}-{mark}")})).await;
    admin.post("/api/gates/policies", json!({"tool": format!("manual:{mark}")})).await;
    run
}

/// The other rows, as they would be written: nothing is due, so that no worker removes them.
async fn fill(sql: &tokio_postgres::Client, tenant: &Tenant, mark: &str) {
    let rows = "
        insert into nofx.alert (id, tenant_id, kind, subject, value, threshold, link) select gen_random_uuid(), TENANT, 'queue_depth', MARK, 1, 1, MARK;
        insert into nofx.alert_rule select TENANT, 'queue_depth', 1;
        insert into nofx.allowed_network select TENANT, '192.0.2.0/24';
        insert into nofx.artifact_use (tenant_id, run_id, step_id, artifact_id)
          select tenant_id, run_id, step_id, id from nofx.artifact where tenant_id = TENANT limit 1;
        insert into nofx.check_run (step_id, tenant_id, run_id, repository, head_sha, reported_status)
          select id, tenant_id, run_id, MARK, MARK, 'completed' from STEP;
        insert into nofx.db_write_rule (id, tenant_id, table_name, allowed_ops, constraints)
          select gen_random_uuid(), TENANT, MARK, '{insert}', '{}';
        insert into nofx.step_queue (step_id, tenant_id, run_id, state, priority, tool, due_at)
          select id, tenant_id, run_id, 'timer', 0, MARK, now() + interval '1 day' from STEP;
        insert into nofx.gate_decision (id, gate_id, tenant_id, by, decision)
          select gen_random_uuid(), id, tenant_id, MARK, 'approve' from nofx.gate where tenant_id = TENANT limit 1;
        insert into nofx.handler_health (tenant_id, target, state, probe_at, opened_at) select TENANT, MARK, 'open', now() + interval '1 day', now();
        insert into nofx.hook_delivery (id, tenant_id, hook_id, dedup_key, body, status, ended_at)
          select gen_random_uuid(), tenant_id, id, MARK, '{}', 'delivered', now() from nofx.hook where tenant_id = TENANT;
        insert into nofx.hook_attempt (delivery_id, tenant_id, attempt, duration_ms)
          select id, tenant_id, 1, 1 from nofx.hook_delivery where tenant_id = TENANT;
        insert into nofx.idempotency_key (tenant_id, route, key, caller, request_hash, resource_id, locked_until)
          select TENANT, MARK, MARK, MARK, MARK, TENANT, now();
        insert into nofx.model_call (id, tenant_id, run_id, step_id, attempt, request_hash, task, status)
          select gen_random_uuid(), tenant_id, run_id, id, 1, MARK, MARK, 'succeeded' from STEP;
        insert into nofx.model_settings (tenant_id, changed_by) select TENANT, MARK;
        insert into nofx.default_workspace (tenant_id, git, changed_by) select TENANT, 'https://example.com/' || MARK, MARK;
        insert into nofx.person (tenant_id, id, email, role) select TENANT, MARK, MARK, 'viewer';
        insert into nofx.isolation (tenant_id, changed_by) select TENANT, MARK;
        insert into nofx.sandbox_usage select TENANT, current_date, 0, 1, 1 on conflict do nothing;
        insert into nofx.quota (tenant_id) select TENANT;
        insert into nofx.sandbox_slot select id, tenant_id, run_id from STEP;
        insert into nofx.run_usage select run_id, tenant_id, 1, 1, 1, 1 from STEP on conflict do nothing;
        insert into nofx.secret_rule (tenant_id, name, tools, changed_by) select TENANT, MARK, '{bash}', MARK;
        insert into nofx.retention select TENANT, 'events', 365;
        insert into nofx.legal_hold (id, tenant_id, reason, created_by) select gen_random_uuid(), TENANT, MARK, MARK;
        insert into nofx.concurrency_slot select id, tenant_id, run_id, MARK from STEP;
        insert into nofx.step_dlq (id, tenant_id, run_id, step_id, name, tool, reason, attempts, error, inputs, evidence)
          select gen_random_uuid(), tenant_id, run_id, id, MARK, MARK, 'poison', 1, '{}', '{}', '[]' from STEP;
        insert into nofx.step_edge (tenant_id, run_id, step_id, needs_id) select tenant_id, run_id, id, id from STEP;
        insert into nofx.step_log (step_id, tenant_id, attempt, at_byte, text) select id, tenant_id, 1, 0, MARK from STEP;
        insert into nofx.subscription (tenant_id, name, tx, id) select TENANT, MARK, 0, 0;
        insert into nofx.webhook_receipt (source_id, dedup_key, tenant_id)
          select id, MARK, tenant_id from nofx.webhook_source where tenant_id = TENANT";
    let step = "(select * from nofx.step where tenant_id = TENANT and waits_for = 'gate') as step";
    let rows = rows.replace("STEP", step).replace("TENANT", &format!("'{}'::uuid", tenant.id)).replace("MARK", &format!("'{mark}'"));
    sql.batch_execute(&rows).await.expect("rows");
}

/// Tables of which the API reads no column on behalf of people.
const HIDDEN: [&str; 3] = ["idempotency_key", "signing_key", "worker"];

/// Tables that belong to no tenant.
const COMMON: [&str; 4] = ["sandbox_price", "signing_key", "transition", "worker"];

#[tokio::test]
async fn no_table_shows_rows_of_a_tenant_to_outsiders_or_without_credentials_and_none_is_written() {
    let (ours, theirs) = (Tenant::new().await, Tenant::new().await);
    let mark = format!("mark{}", ours.id.simple());
    belongings(&ours, &mark).await;
    let secrets = Secrets(vec![mark.clone(), ours.id.to_string()]);
    let (outsider, admin, person) = (by_api(&theirs, Role::Admin), by_api(&ours, Role::Admin), ours.admin().token);
    let sql = STACK.sql().await;
    fill(&sql, &ours, &mark).await;
    let rows = sql.query(
        "select c.relname::text, array_agg(a.attname::text order by a.attnum),
                coalesce(array_agg(a.attname::text) filter (where has_column_privilege('nofx_api', c.oid, a.attnum, 'select')), '{}')
           from pg_class c join pg_namespace n on n.oid = c.relnamespace
           join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
          where n.nspname = 'nofx' and c.relkind in ('r', 'p', 'v') and not c.relispartition group by c.oid, c.relname order by 1",
        &[],
    );
    let tables: Vec<(String, Vec<String>, Vec<String>)> =
        rows.await.expect("tables").iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    assert!(tables.len() > 25, "the tables were not found: {tables:?}");
    let mut empty = vec![];
    for (table, columns, readable) in &tables {
        let owner = if table == "tenant" { "id" } else { "tenant_id" };
        let has_tenant = columns.iter().any(|column| column == owner);
        assert_ne!(has_tenant, COMMON.contains(&table.as_str()), "{table} is a tenant's, or is in COMMON");
        let select = if readable.is_empty() { "*".to_owned() } else { readable.join(",") };
        let mut paths = vec![format!("{table}?select={select}")];
        if has_tenant {
            paths.push(format!("{table}?select={select}&{owner}=eq.{}", ours.id));
            let count = format!("select count(*) from nofx.{table} where {owner} = $1");
            if sql.query_one(&count, &[&ours.id]).await.expect("a count").get::<_, i64>(0) == 0 {
                empty.push(table);
            }
        }
        let is_hidden = HIDDEN.contains(&table.as_str());
        for path in &paths {
            let (status, answer) = ask(Method::GET, path, Some(&outsider), None).await;
            assert_eq!(status, if is_hidden { 403 } else { 200 }, "{path}: {answer}");
            secrets.check(path, &answer);
            // Not even of their own tenant: people read through the API.
            let (status, answer) = ask(Method::GET, path, Some(&person), None).await;
            assert_eq!(status, 403, "{path} with a token of a person: {answer}");
            let (status, answer) = ask(Method::GET, path, None, None).await;
            assert_eq!(status, 401, "{path} without credentials: {answer}");
        }
        let column = if has_tenant { owner } else { columns[0].as_str() };
        let (any, nothing) = (format!("{table}?{column}=is.null"), json!({column: null}));
        for token in [None, Some(&outsider), Some(&admin), Some(&person)] {
            for (method, path) in [(Method::POST, table), (Method::PATCH, &any), (Method::DELETE, &any)] {
                let (status, answer) = ask(method.clone(), path, token.map(String::as_str), Some(&nothing)).await;
                assert_eq!(status, if token.is_some() { 403 } else { 401 }, "{method} {path} goes past the functions: {answer}");
            }
        }
    }
    assert!(empty.is_empty(), "these tables prove nothing, give each a row in `fill`: {empty:?}");
}

#[tokio::test]
async fn no_function_does_or_shows_anything_of_a_tenant_to_outsiders_or_without_credentials() {
    let (ours, theirs) = (Tenant::new().await, Tenant::new().await);
    let mark = format!("mark{}", ours.id.simple());
    let run = belongings(&ours, &mark).await;
    let secrets = Secrets(vec![mark]);
    let by_api = by_api(&theirs, Role::Admin);
    let functions = functions().await;
    let ids = [&run["id"], &run["steps"][0]["id"], &run["gates"][0]["id"], &run["artifacts"][0]["id"], &json!(ours.id)];
    let before = fingerprint(&ours).await;
    for Function { name: function, arguments, .. } in &functions {
        for id in ids {
            let arguments: Map<String, Value> = arguments.iter().map(|(name, kind)| (name.clone(), value(name, kind, id))).collect();
            let (path, arguments) = (format!("rpc/{function}"), Value::Object(arguments));
            // As the API calls it for them: with a token of their own they call nothing.
            let (status, answer) = ask(Method::POST, &path, Some(&by_api), Some(&arguments)).await;
            secrets.check(&format!("{function} {arguments}"), &answer);
            let is_misfit = answer.contains("\"22P02\"") || answer.contains("\"PGRST202\"");
            assert_eq!(is_misfit, COLUMNS.contains(&function.as_str()), "{function} {arguments} is not even called: {answer}");
            assert!(status != StatusCode::INTERNAL_SERVER_ERROR, "{function} {arguments}: {status} {answer}");
            let (status, answer) = ask(Method::POST, &path, None, Some(&arguments)).await;
            assert!(status.is_client_error(), "{function} without credentials: {status} {answer}");
        }
    }
    assert_eq!(fingerprint(&ours).await, before, "something of the tenant was changed");
}

/// Everything that the tenant can read of itself.
pub(super) async fn fingerprint(tenant: &Tenant) -> Value {
    let person: Person = tenant.admin();
    let mut seen = vec![];
    for path in [
        "/api/runs",
        "/api/gates",
        "/api/keys",
        "/api/hooks",
        "/api/hooks/sources",
        "/api/gates/policies",
        "/api/audit",
        "/api/alerts",
        "/api/retention",
        "/api/retention/holds",
    ] {
        let (status, answer) = person.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {answer}");
        seen.push(answer["data"].clone());
    }
    Value::Array(seen)
}
