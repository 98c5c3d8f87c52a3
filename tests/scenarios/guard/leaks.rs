//! Generated from the database's own catalogue: whatever table or function is added is asked here, too, by a stranger and by nobody.

use nofx_tests::stack::STACK;
use nofx_tests::{Person, Tenant};
use reqwest::{Client, StatusCode};
use serde_json::{Map, Value, json};

/// Asks PostgREST, below the gateway, as the API does.
async fn ask(path: &str, token: Option<&str>, body: Option<&Value>) -> (StatusCode, String) {
    let url = format!("{}/{path}", STACK.get("rest_url"));
    let client = nofx_shared::net::client();
    let request: fn(&Client, String) -> reqwest::RequestBuilder = if body.is_some() { Client::post } else { Client::get };
    let mut request = request(&client, url).header("accept-profile", "nofx").header("content-profile", "nofx");
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if let Some(body) = body {
        request = request.json(body);
    }
    let response = request.send().await.expect("PostgREST answers");
    (response.status(), response.text().await.unwrap_or_default())
}

/// What no answer to a stranger may hold.
struct Secrets(Vec<String>);

impl Secrets {
    fn check(&self, what: &str, answer: &str) {
        for secret in &self.0 {
            assert!(!answer.contains(secret.as_str()), "{what} tells {secret}: {answer}");
        }
    }
}

/// A tenant with something in as many tables as a test can fill, and a mark in all of it.
async fn belongings(tenant: &Tenant, mark: &str) -> Value {
    let (person, admin) = (tenant.contributor(), tenant.admin());
    let step = |name: &str, tool: &str, inputs: Value| json!({"name": name, "tool": tool, "needs": [], "inputs": inputs});
    let steps = json!([step(mark, "bash", json!({"script": format!("echo {mark}")})), step("ask", "manual:x", json!({"question": mark}))]);
    let id = person.submit(json!({"goal": mark, "steps": steps})).await;
    let run =
        person.wait(&id, |run| run["artifacts"].as_array().is_some_and(|all| !all.is_empty()) && run["gates"][0]["id"].is_string()).await;
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

#[tokio::test]
async fn no_table_shows_a_stranger_or_nobody_what_a_tenant_has() {
    let (ours, theirs) = (Tenant::new().await, Tenant::new().await);
    let mark = format!("mark{}", ours.id.simple());
    belongings(&ours, &mark).await;
    let secrets = Secrets(vec![mark, ours.id.to_string()]);
    let stranger = theirs.admin();
    let sql = STACK.sql().await;
    let rows = sql.query(
        "select c.relname, exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped)
           from pg_class c join pg_namespace n on n.oid = c.relnamespace
          where n.nspname = 'nofx' and c.relkind in ('r', 'p', 'v') and not c.relispartition order by 1",
        &[],
    );
    let tables: Vec<(String, bool)> = rows.await.expect("tables").iter().map(|row| (row.get(0), row.get(1))).collect();
    assert!(tables.len() > 25, "the tables were not found: {tables:?}");
    for (table, has_tenant) in &tables {
        for path in [table.clone(), format!("{table}?tenant_id=eq.{}", ours.id)].iter().take(if *has_tenant { 2 } else { 1 }) {
            let (status, answer) = ask(path, Some(&stranger.token), None).await;
            assert!(status.is_success() || status.is_client_error(), "{path}: {status} {answer}");
            // The tenant's id stands in a refusal only because it was asked for.
            secrets.check(path, if status.is_success() { &answer } else { "" });
            let (status, answer) = ask(path, None, None).await;
            assert!(status.is_client_error(), "nobody reads {path}: {status} {answer}");
            secrets.check(path, &answer.replace(&ours.id.to_string(), ""));
        }
        let new = json!({"tenant_id": ours.id});
        for token in [None, Some(stranger.token.as_str()), Some(ours.admin().token.as_str())] {
            let (status, answer) = ask(table, token, Some(&new)).await;
            assert!(status.is_client_error(), "{table} is written past its functions: {status} {answer}");
        }
    }
}

#[tokio::test]
async fn no_function_does_or_tells_a_stranger_or_nobody_anything_of_a_tenant() {
    let (ours, theirs) = (Tenant::new().await, Tenant::new().await);
    let mark = format!("mark{}", ours.id.simple());
    let run = belongings(&ours, &mark).await;
    let secrets = Secrets(vec![mark]);
    let stranger = theirs.admin();
    let sql = STACK.sql().await;
    let rows = sql.query(
        "select p.proname, coalesce(array_agg(a.name order by a.n) filter (where a.name is not null), '{}'),
                coalesce(array_agg(format_type(a.type, null) order by a.n) filter (where a.name is not null), '{}')
           from pg_proc p join pg_namespace s on s.oid = p.pronamespace
           left join lateral unnest(p.proargnames, p.proargtypes::oid[]) with ordinality as a (name, type, n) on a.n <= p.pronargs
          where s.nspname = 'nofx' and p.prokind = 'f' group by p.oid, p.proname order by 1",
        &[],
    );
    let functions: Vec<(String, Vec<String>, Vec<String>)> =
        rows.await.expect("functions").iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    assert!(functions.len() > 60, "the functions were not found: {}", functions.len());
    let ids = [&run["id"], &run["steps"][0]["id"], &run["gates"][0]["id"], &run["artifacts"][0]["id"], &json!(ours.id)];
    let before = fingerprint(&ours).await;
    for (function, names, types) in &functions {
        for id in ids {
            let arguments: Map<String, Value> = names.iter().zip(types).map(|(name, kind)| (name.clone(), value(name, kind, id))).collect();
            let (path, arguments) = (format!("rpc/{function}"), Value::Object(arguments));
            let (status, answer) = ask(&path, Some(&stranger.token), Some(&arguments)).await;
            secrets.check(&format!("{function} {arguments}"), &answer);
            assert!(status != StatusCode::INTERNAL_SERVER_ERROR, "{function} {arguments}: {status} {answer}");
            let (status, answer) = ask(&path, None, Some(&arguments)).await;
            assert!(status.is_client_error(), "nobody calls {function}: {status} {answer}");
        }
    }
    assert_eq!(fingerprint(&ours).await, before, "something of the tenant was changed");
}

fn value(name: &str, kind: &str, id: &Value) -> Value {
    match kind {
        "uuid" => id.clone(),
        "uuid[]" => json!([id]),
        "boolean" => json!(false),
        "integer" | "bigint" | "numeric" | "real" | "double precision" => json!(1),
        "text[]" => json!([]),
        "json" | "jsonb" if name.ends_with('s') => {
            json!([{"step_id": id, "token": id, "kind": "done", "key": "k", "n": 1, "limit": 1, "window_s": 60}])
        }
        "json" | "jsonb" => json!({"goal": "taken over"}),
        "interval" => json!("1 second"),
        "timestamp with time zone" => json!("2030-01-01T00:00:00Z"),
        "nofx.person_role" => json!("admin"),
        "nofx.hook_phase" => json!("post"),
        "nofx.webhook_provider" => json!("github"),
        "nofx.alert_kind" => json!("queue_depth"),
        "nofx.dlq_reason" => json!("poison"),
        _ => json!("x"),
    }
}

/// All that the tenant can see of itself.
async fn fingerprint(tenant: &Tenant) -> Value {
    let person: Person = tenant.admin();
    let mut seen = vec![];
    for path in
        ["/api/runs", "/api/gates", "/api/keys", "/api/hooks", "/api/hooks/sources", "/api/gates/policies", "/api/audit", "/api/alerts"]
    {
        seen.push(person.get(path).await.1["data"].clone());
    }
    Value::Array(seen)
}
