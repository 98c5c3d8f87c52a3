//! Every field of every function of the database, as people send it past the API, and as the API would if one of its checks were missing.

use nofx_shared::auth::Role;
use nofx_tests::Tenant;
use nofx_tests::stack::STACK;
use reqwest::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::neighbour::Neighbour;
use super::values::{choose, hostile, places};
use crate::guard::catalogue::{COLUMNS, Function, functions, value};
use crate::guard::leaks::{self, ask};

const ROLES: [Role; 3] = [Role::Viewer, Role::Contributor, Role::Admin];

/// A value that is accepted, for arguments of JSON: each of its fields is replaced in turn. A new argument of JSON needs a line here.
fn template(function: &str, argument: &str) -> Value {
    let step = json!({"name": "a", "tool": "noop", "position": 0, "needs": [], "on_failure": "fail", "max_attempts": 1, "concurrency_key": "k",
    "concurrency_limit": 1, "spec": {
        "inputs": {"a": 1}, "if": "true", "for_each": "[1]", "refs": ["a"], "timeout_s": 1, "env": {"A": "a"}, "secrets": ["A"],
        "driver": "e2b", "min_isolation": "L1", "resources": {"cpu_s": 1}, "image": "base", "placement": "task", "idempotency_key": "k",
        "retry": {"max_attempts": 1, "initial_ms": 1, "factor": 2, "max_ms": 1, "jitter": 0},
        "approval": {"role": "admin", "count": 1, "expires_s": 60},
    }});
    match (function, argument) {
        ("create_run", "p_run") => {
            json!({"goal": "g", "plan": {"steps": []}, "workspace": {"git": "https://example.com/a.git", "ref": "main"},
            "priority": 0, "max_parallel": 1, "deadline_s": 60, "traceparent": "t", "created_by": "x",
            "pull_request": null})
        }
        ("create_run", "p_steps") => json!([{"name": "ask", "tool": "manual:x"}, step]),
        ("set_model_settings", "p_order") => json!({"codegen": ["openai"]}),
        ("set_model_settings", "p_budget") => json!({"run_usd": 1, "day_tokens": 1}),
        ("set_gate_policy", "p_approval") => {
            json!({"role": "admin", "count": 1, "expires_s": 60, "author_may_approve": true, "keys_may_approve": true})
        }
        ("set_gate_policy", "p_requires") => json!(["gate:lint", {"gate": "gate:coverage", "command": "make", "cwd": "a", "report": "r",
            "format": "text", "fail_on": "error", "threshold": 90, "exclude": ["a"], "accept": ["a"], "base": "main", "min_tests": 1, "env": ["A"],
            "images": ["a"]}]),
        ("set_hook", "p_target") => json!({"kind": "tool", "tool": "noop", "inputs": "sealed.k1.d3JhcHBlZA==.e30="}),
        ("set_isolation", "p_tools") => json!({"bash": "L1"}),
        ("set_isolation", "p_images") => json!({"e2b": "base"}),
        ("set_isolation", "p_toolchains") => json!(["rust"]),
        ("finish_request", "p_body") => json!({"a": [1]}),
        _ => panic!("{function} takes JSON in {argument}: give it a template"),
    }
}

/// An argument as the API would send it.
fn good(function: &str, argument: &(String, String)) -> Value {
    let (name, kind) = argument;
    match kind.as_str() {
        "jsonb" | "json" => template(function, name),
        // A new run each time.
        "uuid" => json!(uuid::Uuid::now_v7()),
        _ => value(name, kind, &Value::Null),
    }
}

struct Case<'a> {
    function: &'a Function,
    /// The place that is replaced, `/p_run/goal`.
    place: String,
    value: Value,
    role: Role,
}

impl Case<'_> {
    fn arguments(&self) -> Value {
        let argument = |argument: &(String, String)| (argument.0.clone(), good(&self.function.name, argument));
        let mut arguments = Value::Object(self.function.arguments.iter().map(argument).collect::<Map<_, _>>());
        *arguments.pointer_mut(&self.place).expect("the place is there") = self.value.clone();
        arguments
    }
}

fn cases(functions: &[Function]) -> Vec<Case<'_>> {
    let hostile = hostile();
    let mut all = vec![];
    for function in functions.iter().filter(|function| function.is_for_people && !function.arguments.is_empty()) {
        for argument in &function.arguments {
            let mut found = vec![];
            places(&good(&function.name, argument), &format!("/{}", argument.0), &mut found);
            for place in found {
                for value in &hostile {
                    all.extend(ROLES.map(|role| (function, place.clone(), value, role)));
                }
            }
        }
    }
    let all = choose(all);
    all.into_iter().map(|(function, place, value, role)| Case { function, place, value: value.clone(), role }).collect()
}

/// What people set, of a tenant, as one text: nothing in it changes unless a call writes.
async fn fingerprint(sql: &tokio_postgres::Client, tenant: &Tenant) -> String {
    let tables = [
        "alert_rule",
        "api_key",
        "default_workspace",
        "gate_decision",
        "gate_policy",
        "hook",
        "idempotency_key",
        "isolation",
        "legal_hold",
        "model_settings",
        "person",
        "retention",
        "webhook_source",
    ];
    let of = |table: &&str| format!("(select string_agg(t::text, '|' order by t::text) from nofx.{table} t where t.tenant_id = $1)");
    let runs = "(select string_agg(r.id::text, '|' order by r.id) from nofx.run r where r.tenant_id = $1)".to_owned();
    let all: Vec<String> = tables.iter().map(of).chain([runs]).collect();
    let query = format!("select md5(concat_ws('#', {}))", all.join(", "));
    sql.query_one(&query, &[&tenant.id]).await.expect("a fingerprint").get(0)
}

/// What was sent, short enough to be read.
fn shown(case: &Case<'_>) -> String {
    let value: String = case.value.to_string().chars().take(60).collect();
    format!("{}{} = {value} as {:?}", case.function.name, case.place, case.role)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_function_is_sent_it_refuses_or_takes_and_nobody_else_notices() {
    let (tenant, neighbour, sql) = (Tenant::new().await, Neighbour::start().await, STACK.sql().await);
    let functions = functions().await;
    let cases = cases(&functions);
    let (mut accepted, mut refused, mut wrong) = (0, 0, vec![]);
    let mut before = fingerprint(&sql, &tenant).await;
    for case in &cases {
        let (path, arguments) = (format!("rpc/{}", case.function.name), case.arguments());
        let (status, answer) = ask(Method::POST, &path, Some(&tenant.person(case.role).token), Some(&arguments)).await;
        if !status.is_client_error() {
            wrong.push(format!("{}, with a token of a person: {status} {answer:.300}", shown(case)));
        }
        let by_api = leaks::by_api(&tenant, case.role);
        let (status, answer) = ask(Method::POST, &path, Some(&by_api), Some(&arguments)).await;
        let after = fingerprint(&sql, &tenant).await;
        match status {
            status if status.is_server_error() => wrong.push(format!("{}: {status} {answer:.300}", shown(case))),
            status if status.is_success() => accepted += 1,
            _ if after != before => wrong.push(format!("{}: {status}, but something was written", shown(case))),
            _ => refused += 1,
        }
        before = after;
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert!(
        accepted > cases.len() / 50 && refused > cases.len() / 4,
        "{accepted} were accepted and {refused} refused: the values prove little"
    );
    // What it was allowed to set breaks nothing of its own either.
    let own = tenant.contributor().run(json!({"goal": "own", "steps": [{"name": "a", "tool": "noop"}]})).await;
    assert_eq!(own["status"], "succeeded", "{own}");
    leaks::fingerprint(&tenant).await;
    neighbour.finish("functions").await;
}

#[tokio::test]
async fn a_token_of_a_person_calls_no_function() {
    let tenant = Tenant::new().await;
    for function in &functions().await {
        let arguments: Map<String, Value> =
            function.arguments.iter().map(|(name, kind)| (name.clone(), value(name, kind, &json!(tenant.id)))).collect();
        for role in ROLES {
            let path = format!("rpc/{}", function.name);
            let (status, answer) = ask(Method::POST, &path, Some(&tenant.person(role).token), Some(&arguments.clone().into())).await;
            let is_column = COLUMNS.contains(&function.name.as_str()) && status.is_client_error();
            assert!(status == StatusCode::FORBIDDEN || is_column, "{} as {role:?}: {status} {answer}", function.name);
        }
    }
}
