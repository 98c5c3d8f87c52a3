//! Every field of every function of the database with values that it does not expect, as people send them past the API, and as the API would if
//! one of its checks were missing. Generated from the catalogue: a new function is tried, too. Routes are tried by schemathesis.

use nofx_shared::auth::{Role, sign_for_api};
use nofx_tests::stack::STACK;
use nofx_tests::{Person, Tenant};
use reqwest::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::catalogue::{Function, functions, value};
use super::leaks::ask;

const ROLES: [Role; 3] = [Role::Viewer, Role::Contributor, Role::Admin];

/// How many are tried, of all combinations, in an order that is the same each time.
const CASES: usize = 500;
const LONG_CASES: usize = 10_000;

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
        ("set_gate_policy", "p_approval") => json!({"role": "admin", "count": 1, "expires_s": 60, "author_may_approve": true}),
        ("set_hook", "p_target") => json!({"kind": "tool", "tool": "noop", "inputs": {"a": 1}}),
        ("set_isolation", "p_tools") => json!({"bash": "L1"}),
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

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, level| if level % 2 == 0 { json!([inner]) } else { json!({"a": inner}) })
}

/// What nobody expects, of each type.
fn hostile() -> Vec<Value> {
    let mut values = vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(i64::MAX),
        json!(""),
        json!("x"),
        json!("\u{0}"),
        json!("'; drop table nofx.run; --"),
        json!("${{ run.id }}"),
        json!("\u{202e}\u{1f4a5}\n"),
        json!("infinity"),
        json!("NaN"),
        json!("y".repeat(3_000_000)),
        json!([]),
        json!([null]),
        json!(["x", 1, {}]),
        json!({}),
        json!({"a": 1}),
        json!([[0, 0]]),
        nested(65),
        nested(120),
        nested(1000),
        Value::Array(vec![json!("x"); 20_000]),
    ];
    // No compression makes it fit into an index.
    values.push((0..2000_u64).map(|n| format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect::<String>().into());
    values
}

/// The places of a value: of itself, and of all that is in it.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(items) => items.iter().enumerate().for_each(|(n, item)| places(item, &format!("{at}/{n}"), found)),
        Value::Object(fields) => fields.iter().for_each(|(name, field)| places(field, &format!("{at}/{name}"), found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
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

/// All combinations in an order that is the same each time, up to as many as are tried.
fn cases(functions: &[Function], most: usize) -> Vec<Case<'_>> {
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
    // Fisher and Yates, with a generator of a fixed seed.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for at in (1..all.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        all.swap(at, usize::try_from(state >> 33).expect("it fits") % (at + 1));
    }
    all.truncate(most);
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

async fn probe(person: &Person) {
    let steps = json!([{"name": "a", "tool": "noop"}, {"name": "b", "tool": "noop", "inputs": {"x": "${{ steps.a.status }}"}}]);
    let run = person.run(json!({"goal": "probe", "steps": steps})).await;
    assert_eq!(run["status"], "succeeded", "{run}");
}

/// What was sent, short enough to be read.
fn shown(case: &Case<'_>) -> String {
    let value: String = case.value.to_string().chars().take(60).collect();
    format!("{}{} = {value} as {:?}", case.function.name, case.place, case.role)
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "a flag makes it long")]
async fn whatever_a_function_is_sent_it_refuses_or_takes_and_nobody_else_notices() {
    let (tenant, other) = (Tenant::new().await, Tenant::new().await);
    let (neighbour, sql) = (other.contributor(), STACK.sql().await);
    let people = ROLES.map(|role| (role, tenant.person(role).token));
    let by_api = ROLES.map(|role| (role, sign_for_api(STACK.get("jwt_secret"), "someone", tenant.id, role, None)));
    let of = |tokens: &[(Role, String)], role: Role| tokens.iter().find(|(one, _)| *one == role).expect("a token").1.clone();
    let functions = functions().await;
    let most = if std::env::var_os("NOFX_TEST_LONG").is_some() { LONG_CASES } else { CASES };
    let cases = cases(&functions, most);
    assert_eq!(cases.len(), most, "there are fewer combinations");
    let (mut accepted, mut refused, mut wrong) = (0, 0, vec![]);
    let mut before = fingerprint(&sql, &tenant).await;
    for (n, case) in cases.iter().enumerate() {
        // API tokens live for two minutes.
        let token = if most > CASES {
            sign_for_api(STACK.get("jwt_secret"), "someone", tenant.id, case.role, None)
        } else {
            of(&by_api, case.role)
        };
        let (path, arguments) = (format!("rpc/{}", case.function.name), case.arguments());
        let (status, answer) = ask(Method::POST, &path, Some(&of(&people, case.role)), Some(&arguments)).await;
        if !status.is_client_error() {
            wrong.push(format!("{}, with a token of a person: {status} {answer:.300}", shown(case)));
        }
        let (status, answer) = ask(Method::POST, &path, Some(&token), Some(&arguments)).await;
        let after = fingerprint(&sql, &tenant).await;
        match status {
            status if status.is_server_error() => wrong.push(format!("{}: {status} {answer:.300}", shown(case))),
            status if status.is_success() => accepted += 1,
            _ if after != before => wrong.push(format!("{}: {status}, but something was written", shown(case))),
            _ => refused += 1,
        }
        before = after;
        if n % 100 == 0 {
            probe(&neighbour).await;
        }
    }
    assert!(wrong.is_empty(), "{} of {most}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(accepted > most / 50 && refused > most / 4, "{accepted} were accepted and {refused} refused: the values prove little");
    probe(&neighbour).await;
    probe(&tenant.contributor()).await;
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
            let is_column = super::catalogue::COLUMNS.contains(&function.name.as_str()) && status.is_client_error();
            assert!(status == StatusCode::FORBIDDEN || is_column, "{} as {role:?}: {status} {answer}", function.name);
        }
    }
}
