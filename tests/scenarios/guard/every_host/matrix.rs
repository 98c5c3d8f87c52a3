use nofx_shared::auth::Role;
use nofx_tests::people::{look, service, step};
use nofx_tests::plans::plan;
use nofx_tests::{Person, Tenant};
use reqwest::Method;
use serde_json::{Value, json};

/// Every operation of the API in the order in which it is called, its least role (none: it needs no credential), and the status of its
/// response to that role. A new route needs a line here.
const LEAST: [(&str, Option<Role>, u16); 72] = [
    ("get_artifact", Some(Role::Viewer), 200),
    ("get_artifact_content", Some(Role::Viewer), 302),
    ("list_attestations", Some(Role::Viewer), 200),
    ("get_lineage", Some(Role::Viewer), 200),
    ("get_signing_keys", None, 200),
    ("list_events", Some(Role::Viewer), 200),
    ("stream_events", Some(Role::Viewer), 200),
    ("list_gates", Some(Role::Viewer), 200),
    ("get_gate", Some(Role::Viewer), 200),
    ("list_gate_policies", Some(Role::Viewer), 200),
    ("set_gate_policy", Some(Role::Admin), 200),
    ("delete_gate_policy", Some(Role::Admin), 204),
    ("request_gate", Some(Role::Supervisor), 201),
    ("approve_gate", Some(Role::Supervisor), 200),
    ("reject_gate", Some(Role::Supervisor), 409), // already decided
    ("waive_gate", Some(Role::Supervisor), 409),  // already decided
    ("list_db_write_rules", Some(Role::Viewer), 200),
    ("get_model_settings", Some(Role::Viewer), 200),
    ("set_model_settings", Some(Role::Admin), 200),
    ("get_default_workspace", Some(Role::Viewer), 200),
    ("set_default_workspace", Some(Role::Admin), 200),
    ("get_isolation", Some(Role::Viewer), 200),
    ("set_isolation", Some(Role::Admin), 200),
    ("get_health", None, 200),
    ("get_ready", None, 200),
    ("list_api_keys", Some(Role::Admin), 200),
    ("create_api_key", Some(Role::Admin), 201),
    ("revoke_api_key", Some(Role::Admin), 204),
    ("get_metrics_summary", Some(Role::Viewer), 200),
    ("get_openapi", None, 200),
    ("get_plan_schema", None, 200),
    ("get_evidence_schema", None, 200),
    ("list_runs", Some(Role::Viewer), 200),
    ("create_run", Some(Role::Contributor), 201),
    ("get_run", Some(Role::Viewer), 200),
    ("list_run_gates", Some(Role::Viewer), 200),
    ("get_timeline", Some(Role::Viewer), 200),
    ("get_step_log", Some(Role::Viewer), 200),
    ("get_step_inputs", Some(Role::Viewer), 200),
    ("pause_run", Some(Role::Contributor), 200),
    ("resume_run", Some(Role::Contributor), 200),
    ("retry_run", Some(Role::Contributor), 409),  // the run has not failed
    ("retry_step", Some(Role::Contributor), 409), // nor has the step
    ("cancel_run", Some(Role::Contributor), 200),
    ("get_asyncapi", None, 200),
    ("list_audit", Some(Role::Supervisor), 200),
    ("list_dead_letters", Some(Role::Viewer), 200),
    ("get_dead_letter", Some(Role::Viewer), 200),
    ("requeue_dead_letters", Some(Role::Contributor), 200),
    ("purge_dead_letters", Some(Role::Supervisor), 200),
    ("list_breakers", Some(Role::Viewer), 200),
    ("set_breaker", Some(Role::Supervisor), 200),
    ("list_alerts", Some(Role::Viewer), 200),
    ("get_alert", Some(Role::Viewer), 200),
    ("set_alert_rule", Some(Role::Supervisor), 204),
    ("get_quota", Some(Role::Viewer), 200),
    ("list_networks", Some(Role::Viewer), 200),
    ("list_secret_rules", Some(Role::Viewer), 200),
    ("set_secret_rule", Some(Role::Admin), 200),
    ("list_hooks", Some(Role::Supervisor), 200),
    ("list_deliveries", Some(Role::Supervisor), 200),
    ("replay_delivery", Some(Role::Supervisor), 202),
    ("set_hook", Some(Role::Admin), 200),
    ("delete_hook", Some(Role::Admin), 204),
    ("list_webhook_sources", Some(Role::Supervisor), 200),
    ("set_webhook_source", Some(Role::Admin), 200),
    ("delete_webhook_source", Some(Role::Admin), 204),
    ("list_retention", Some(Role::Viewer), 200),
    ("set_retention", Some(Role::Admin), 204),
    ("list_holds", Some(Role::Supervisor), 200),
    ("release_hold", Some(Role::Supervisor), 204),
    ("place_hold", Some(Role::Supervisor), 201),
];

pub(super) const ROLES: [Role; 4] = [Role::Viewer, Role::Contributor, Role::Supervisor, Role::Admin];

/// Operations of the platform and of operators, with keys of their own.
const NOT_FOR_PEOPLE: [&str; 8] = [
    "run_cron",
    "execute_work",
    "set_db_write_rule",
    "delete_db_write_rule",
    "set_quota",
    "set_networks",
    "receive_github_webhook",
    "receive_webhook",
];

/// Method, path with its `{…}`, and operation id of all routes that people and keys may call.
pub(super) async fn operations() -> Vec<(Method, String, String)> {
    let (_, openapi) = Person::with_token("").get("/api/openapi.json").await;
    let paths = openapi["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods").iter();
        methods.filter(|(_, operation)| !NOT_FOR_PEOPLE.iter().any(|one| operation["operationId"] == *one)).map(|(method, operation)| {
            let method: Method = method.to_uppercase().parse().expect("a method");
            (method, path.clone(), operation["operationId"].as_str().expect("an id").to_owned())
        })
    });
    operations.collect()
}

/// The body of a valid request.
pub(super) fn body(operation: &str, run: &Value) -> Value {
    match operation {
        "create_run" => json!({"plan": plan(vec![json!({"name": "a", "tool": "noop"})])}),
        "set_model_settings" => json!({}),
        "set_secret_rule" => json!({"name": "X", "tools": null}),
        "set_default_workspace" => json!({"workspace": null}),
        "set_isolation" => json!({"default_driver": null, "min_isolation": "L1", "tools": {}, "images": {}, "toolchains": null}),
        "set_gate_policy" => json!({"tool": "fail"}),
        "requeue_dead_letters" | "purge_dead_letters" => json!({"all": true, "dry_run": true}),
        "set_breaker" => json!({"target": "noop"}),
        "set_alert_rule" => json!({"kind": "queue_depth", "threshold": 1000}),
        "set_retention" => json!({"what": "runs", "days": 3650}),
        "set_hook" => json!({"name": "x", "phase": "post", "filter": "false", "target": {"kind": "webhook", "url": "https://example.com"}}),
        "set_webhook_source" => json!({"name": "x", "provider": "github", "secret": "a secret of the sender"}),
        "create_api_key" => json!({"name": "ci", "role": "viewer"}),
        "request_gate" => json!({"run_id": run["id"], "step_id": step(run, "later")["id"], "gate_type": "manual:x"}),
        _ => json!({"reason": "because"}),
    }
}

/// The path with the ids of a tenant's resources.
fn fill(path: &str, run: &Value, own: &Value) -> String {
    let subject = match path.trim_start_matches("/api/").split('/').collect::<Vec<_>>().as_slice() {
        ["gates", "policies", ..] => &own["policy"],
        ["gates", ..] => &run["gates"][0]["id"],
        ["artifacts", ..] => &run["artifacts"][0]["id"],
        ["keys", ..] => &own["key"],
        ["dlq", ..] => &own["dead_letter"],
        ["alerts", ..] => &own["alert"],
        ["retention", "holds", ..] => &own["hold"],
        ["hooks", "deliveries", ..] => &own["delivery"],
        ["hooks", "sources", ..] => &own["source"],
        ["hooks", ..] => &own["hook"],
        _ => &run["id"],
    };
    path.replace("{id}", subject.as_str().unwrap_or_else(|| panic!("{path} has no subject: {own}")))
        .replace("{step_id}", run["steps"][0]["id"].as_str().expect("an id"))
}

/// A run with a pending gate, a step that waits for it, and an artifact; and ids of all other resources of a tenant.
pub(super) async fn belongings(tenant: &Tenant) -> (Value, Value) {
    let (contributor, supervisor, admin) = (tenant.contributor(), tenant.supervisor(), tenant.admin());
    let log = json!({"name": "log", "tool": "bash", "needs": [], "inputs": {"script": "echo log"}});
    let later = json!({"name": "later", "tool": "noop", "needs": ["ask"]});
    let id = contributor.submit(plan(vec![json!({"name": "ask", "tool": "manual:x"}), log, later])).await;
    let is_there =
        |run: &Value| run["gates"].as_array().is_some_and(|gates| !gates.is_empty()) && step(run, "log")["status"] == "succeeded";
    let run = contributor.wait(&id, is_there).await;
    let id_of = |(_, answer): (reqwest::StatusCode, Value)| answer["id"].clone();
    let key = id_of(admin.post("/api/keys", json!({"name": "k", "role": "viewer"})).await);
    let hook = id_of(admin.post("/api/hooks", body("set_hook", &run)).await);
    let source = id_of(admin.post("/api/hooks/sources", body("set_webhook_source", &run)).await);
    supervisor.post("/api/alerts/rules", json!({"kind": "dlq_growth", "threshold": 1})).await;
    let dead = json!({"name": "f", "tool": "fail", "retry": {"max_attempts": 1}, "inputs": {"transient": true}});
    contributor.run(plan(vec![dead])).await;
    look().await;
    let policy = id_of(admin.post("/api/gates/policies", body("set_gate_policy", &run)).await);
    let deliveries = json!([{"hook_id": hook, "dedup_key": "s", "body": "{}"}]);
    let queue = json!({"p_tenant": tenant.id, "p_deliveries": deliveries});
    service().call::<_, ()>("enqueue_deliveries", &queue).await.expect("queued");
    let hold = id_of(supervisor.post("/api/retention/holds", json!({"run_id": run["id"], "reason": "because"})).await);
    let first = async |path: &str| supervisor.get(path).await.1["data"][0]["id"].clone();
    let own = json!({
        "key": key, "policy": policy, "hook": hook, "source": source, "dead_letter": first("/api/dlq").await, "alert": first("/api/alerts").await,
        "delivery": first("/api/hooks/deliveries").await, "hold": hold,
    });
    (run, own)
}

#[tokio::test]
async fn an_outsider_finds_nothing_of_another_tenant_on_any_route() {
    let (ours, theirs) = (Tenant::new().await, Tenant::new().await);
    let (run, key) = belongings(&ours).await;
    let outsider = theirs.admin();
    let operations = operations().await;
    let of_one: Vec<_> = operations.iter().filter(|(_, path, _)| path.contains('{')).collect();
    assert!(of_one.len() >= 14, "the routes were not found");
    for (method, path, operation) in of_one {
        let request = outsider.request(method.clone(), &fill(path, &run, &key));
        let request = if *method == Method::POST { request.json(&body(operation, &run)) } else { request };
        let (status, answer) = nofx_tests::people::answer(request).await;
        // A list below a run of another tenant is empty.
        let is_nothing = status == 404 || status == 200 && answer["data"] == json!([]);
        assert!(is_nothing, "{operation}: {status} {answer}");
    }
    let (_, again) = ours.contributor().get(&format!("/api/runs/{}", run["id"].as_str().expect("an id"))).await;
    assert_eq!((&again["status"], &again["gates"]), (&run["status"], &run["gates"]), "nothing was changed");
}

#[tokio::test]
async fn every_route_asks_for_its_role_and_for_no_more() {
    let operations = operations().await;
    let mut known: Vec<&str> = LEAST.iter().map(|(operation, ..)| *operation).collect();
    let mut there: Vec<&str> = operations.iter().map(|(_, _, operation)| operation.as_str()).collect();
    known.sort_unstable();
    there.sort_unstable();
    assert_eq!(there, known, "give every route its least role in LEAST");

    // Each role has a tenant of its own: no role uses up what another one needs.
    futures::future::join_all(ROLES.map(async |role| {
        let tenant = Tenant::new().await;
        let (run, own) = belongings(&tenant).await;
        let (nobody, person) = (Person::with_token(""), tenant.person(role));
        for (operation, least, allowed) in LEAST {
            let (method, path, _) = operations.iter().find(|(_, _, one)| one == operation).expect("it is there");
            let call = async |person: &Person| {
                let request = person.request(method.clone(), &fill(path, &run, &own));
                let request = if *method == Method::POST { request.json(&body(operation, &run)) } else { request };
                request.send().await.expect("the API answers").status().as_u16()
            };
            let without = if least.is_none() { allowed } else { 401 };
            assert_eq!(call(&nobody).await, without, "{operation} without a credential");
            let with = if least.is_none_or(|least| role >= least) { allowed } else { 403 };
            assert_eq!(call(&person).await, with, "{operation} as {role:?}");
        }
    }))
    .await;
}

#[tokio::test]
async fn an_operator_starts_crons_with_the_key_of_the_deployment() {
    for (key, expected) in [(nofx_tests::stack::STACK.get("internal_api_key"), 200), ("guess", 401), ("", 401)] {
        let url = format!("{}/api/cron/prune", nofx_tests::stack::STACK.get("api_url"));
        let answer = nofx_shared::net::client().get(url).header("x-internal-api-key", key).send().await.expect("an answer");
        assert_eq!(answer.status(), expected, "{key}");
    }
}

#[tokio::test]
async fn no_role_of_a_tenant_may_do_what_operators_do() {
    let tenant = Tenant::new().await;
    for role in ROLES {
        let (status, answer) = tenant.person(role).get("/api/cron/sweep").await;
        assert_eq!(status, 401, "{role:?}: {answer}");
        let rule = json!({"tenant_id": tenant.id, "table_name": "public.x", "allowed_ops": ["insert"], "constraints": {"columns": ["a"]}});
        assert_eq!(tenant.person(role).post("/api/db-write-rules", rule).await.0, 401, "{role:?}");
        let quota = tenant.person(role).request(Method::POST, "/api/quotas").json(&json!({"tenant_id": tenant.id}));
        assert_eq!(quota.header("x-internal-api-key", "guess").send().await.expect("an answer").status(), 401, "{role:?}");
        let network = json!({"tenant_id": tenant.id, "networks": ["127.0.0.1"]});
        let network = tenant.person(role).request(Method::POST, "/api/networks").json(&network);
        let with_key = network.header("x-internal-api-key", nofx_tests::stack::STACK.get("internal_api_key"));
        let status = with_key.send().await.expect("an answer").status();
        assert_eq!(status, if role == Role::Admin { 200 } else { 403 }, "the key alone is not enough: {role:?}");
        assert_eq!(tenant.person(role).post("/api/webhooks/github", json!({"action": "rerequested"})).await.0, 401, "{role:?}");
        assert_eq!(tenant.person(role).post("/api/internal/execute", json!({})).await.0, 401, "{role:?}");
        let drop = tenant.person(role).request(Method::DELETE, &format!("/api/db-write-rules/{}", tenant.id));
        assert_eq!(drop.header("x-internal-api-key", "guess").send().await.expect("an answer").status(), 401, "{role:?}");
    }
    assert_eq!(tenant.admin().get("/api/cron/nothing").await.0, 404);
}
