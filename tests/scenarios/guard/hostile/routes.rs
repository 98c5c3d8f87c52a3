//! Every field of every body that the API describes, as its own description says, also those inside of others, every parameter, and the headers
//! that it reads. What a schema allows is tried by schemathesis; this is what none does: deep, huge, and of another type, by people of each role.

use std::sync::Arc;

use nofx_shared::auth::Role;
use nofx_tests::stack::STACK;
use nofx_tests::{Person, Tenant};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::neighbour::Neighbour;
use super::values::{choose, hostile, places};

const ROLES: [Role; 3] = [Role::Viewer, Role::Contributor, Role::Admin];

/// Values of parameters.
const TEXTS: [&str; 11] = ["", "x", "-1", "9999999999999999999999", "%00", "%ff", "null", "1.5", "%5b%5d", "%27", "2020-13-40T99:99:99Z"];

/// Headers that the API or a part of it reads, on whatever route.
const HEADERS: [&str; 12] = [
    "accept",
    "accept-encoding",
    "content-encoding",
    "content-type",
    "cookie",
    "idempotency-key",
    "if-none-match",
    "origin",
    "traceparent",
    "x-forwarded-for",
    "x-internal-api-key",
    "x-request-id",
];

/// What is sent besides a valid path.
#[derive(Clone)]
enum Sent {
    Nothing,
    /// The example of a body, the place in it, and by which of the values it is replaced: some have megabytes.
    Body(Arc<Value>, String, usize),
    Header(String, Vec<u8>),
}

struct Case {
    operation: String,
    method: Method,
    path: String,
    sent: Sent,
    role: Role,
}

/// Values of headers: bytes, because they need be no text.
fn header_values() -> [Vec<u8>; 7] {
    [vec![], b"x".to_vec(), vec![0xff, 0xfe], b"W/\"".to_vec(), b"gzip, br;q=abc".to_vec(), b"00-zz-zz-01".to_vec(), vec![b'a'; 5000]]
}

/// A schema, or the one that it refers to.
fn schema<'a>(api: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => &api["components"]["schemas"][reference.rsplit('/').next().expect("a name")],
        None => schema,
    }
}

fn fields(api: &Value, of: &Value) -> Map<String, Value> {
    let of = schema(api, of);
    let mut found = of["properties"].as_object().cloned().unwrap_or_default();
    for several in ["allOf", "oneOf", "anyOf"] {
        for one in of[several].as_array().into_iter().flatten() {
            found.extend(fields(api, one));
        }
    }
    found
}

/// With ids of nothing in the place of ids.
fn filled(path: &str) -> String {
    let id = uuid::Uuid::now_v7().to_string();
    path.replace("{id}", &id).replace("{step_id}", &id)
}

fn cases(api: &Value, values: usize) -> Vec<Case> {
    let mut all = vec![];
    for (path, methods) in api["paths"].as_object().expect("paths") {
        // A stream does not end; crons work for all tenants.
        if path.contains("stream") || path.contains("/cron/") {
            continue;
        }
        for (method, described) in methods.as_object().expect("methods") {
            let method: Method = method.to_uppercase().parse().expect("a method");
            let operation = described["operationId"].as_str().expect("a name");
            let mut add = |path: String, sent: Sent, roles: &[Role]| {
                all.extend(roles.iter().map(|role| Case {
                    operation: operation.to_owned(),
                    method: method.clone(),
                    path: path.clone(),
                    sent: sent.clone(),
                    role: *role,
                }));
            };
            let body = &described["requestBody"]["content"]["application/json"]["schema"];
            if body.is_object() {
                let names = fields(api, body);
                let required: Vec<&str> =
                    schema(api, body)["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                let others: Map<String, Value> = names
                    .iter()
                    .filter(|(name, _)| required.contains(&name.as_str()))
                    .map(|(name, field)| (name.clone(), field["example"].clone()))
                    .collect();
                let mut bodies = vec![(Arc::new(Value::Object(others.clone())), vec![String::new()])];
                for (name, field) in &names {
                    let (mut with, mut found) = (others.clone(), vec![]);
                    places(&field["example"], &format!("/{name}"), &mut found);
                    with.insert(name.clone(), field["example"].clone());
                    bodies.push((Arc::new(Value::Object(with)), found));
                }
                for (example, found) in bodies {
                    for place in found {
                        for value in 0..values {
                            add(filled(path), Sent::Body(Arc::clone(&example), place.clone(), value), &ROLES);
                        }
                    }
                }
            }
            for name in HEADERS {
                for value in header_values() {
                    // What is made of a header does not depend on the role.
                    add(filled(path), Sent::Header(name.to_owned(), value), &[Role::Contributor]);
                }
            }
            for parameter in described["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().expect("a name");
                for text in TEXTS.iter().map(|text| (*text).to_owned()).chain(["a".repeat(5000)]) {
                    match parameter["in"].as_str() {
                        Some("query") => add(format!("{}?{name}={text}", filled(path)), Sent::Nothing, &ROLES),
                        Some("path") => add(filled(&path.replace(&format!("{{{name}}}"), &text)), Sent::Nothing, &ROLES),
                        _ => {}
                    }
                }
            }
        }
    }
    choose(all)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_route_is_sent_it_does_not_fail_and_nobody_else_notices() {
    let (tenant, neighbour) = (Tenant::new().await, Neighbour::start().await);
    let api = Person::with_token("").get("/api/openapi.json").await.1;
    let values = hostile();
    let cases = cases(&api, values.len());
    let (mut wrong, mut refused) = (vec![], 0);
    for case in &cases {
        let mut request = tenant.person(case.role).request(case.method.clone(), &case.path);
        match &case.sent {
            Sent::Nothing => {}
            Sent::Body(example, place, value) => {
                let mut body = Value::clone(example);
                *body.pointer_mut(place).expect("the place is there") = values[*value].clone();
                request = request.json(&body);
            }
            // One that is there already is sent twice.
            Sent::Header(name, value) => request = request.header(name, value.as_slice()),
        }
        // One that is too large may be refused before all of it was sent.
        let Ok(response) = request.send().await else {
            refused += 1;
            continue;
        };
        let status = response.status();
        refused += usize::from(status.is_client_error());
        if status.is_server_error() {
            let what = match &case.sent {
                Sent::Nothing => json!(null),
                Sent::Body(_, place, value) => json!([place, values[*value]]),
                Sent::Header(name, value) => json!([name, String::from_utf8_lossy(value)]),
            };
            let what: String = what.to_string().chars().take(100).collect();
            let answer = response.text().await.unwrap_or_default();
            wrong.push(format!("{} {:.100} {what} as {:?}: {status} {answer:.300}", case.operation, case.path, case.role));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert!(refused > cases.len() / 3, "only {refused} of {} were refused: they prove little", cases.len());
    neighbour.finish("routes").await;
    assert_eq!(Person::with_token("").get("/api/health").await.0, 200, "{} is there", STACK.get("api_url"));
}
