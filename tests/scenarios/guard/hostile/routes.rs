//! Every field of every body that the API describes, as its own description says, and every parameter. What a schema allows is tried by
//! schemathesis; this is what none does: deep, huge, and of another type, by people of each role.

use nofx_shared::auth::Role;
use nofx_tests::stack::STACK;
use nofx_tests::{Person, Tenant};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::neighbour::Neighbour;
use super::values::{choose, hostile};

const ROLES: [Role; 3] = [Role::Viewer, Role::Contributor, Role::Admin];

/// Values of parameters.
const TEXTS: [&str; 11] = ["", "x", "-1", "9999999999999999999999", "%00", "%ff", "null", "1.5", "%5b%5d", "%27", "2020-13-40T99:99:99Z"];

struct Case {
    operation: String,
    method: Method,
    path: String,
    /// The field of the body, none for all of it; and by which of the values it is replaced: some have megabytes.
    body: Option<(Option<String>, usize)>,
    /// The other fields that must be there.
    others: Map<String, Value>,
    role: Role,
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
            let mut add = |path: String, body: Option<(Option<String>, usize)>, others: &Map<String, Value>| {
                all.extend(ROLES.map(|role| Case {
                    operation: operation.to_owned(),
                    method: method.clone(),
                    path: path.clone(),
                    body: body.clone(),
                    others: others.clone(),
                    role,
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
                for field in names.keys().cloned().map(Some).chain([None]) {
                    for value in 0..values {
                        add(filled(path), Some((field.clone(), value)), &others);
                    }
                }
            }
            for parameter in described["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().expect("a name");
                for text in TEXTS.iter().map(|text| (*text).to_owned()).chain(["a".repeat(5000)]) {
                    match parameter["in"].as_str() {
                        Some("query") => add(format!("{}?{name}={text}", filled(path)), None, &Map::new()),
                        Some("path") => add(filled(&path.replace(&format!("{{{name}}}"), &text)), None, &Map::new()),
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
        if let Some((field, value)) = &case.body {
            let value = &values[*value];
            let body = match field {
                Some(name) => {
                    let mut fields = case.others.clone();
                    fields.insert(name.clone(), value.clone());
                    Value::Object(fields)
                }
                None => value.clone(),
            };
            request = request.json(&body);
        }
        // One that is too large may be refused before all of it was sent.
        let Ok(response) = request.send().await else {
            refused += 1;
            continue;
        };
        let status = response.status();
        refused += usize::from(status.is_client_error());
        if status.is_server_error() {
            let what = case.body.as_ref().map_or_else(|| json!(null), |(field, value)| json!([field, values[*value]]));
            let what: String = what.to_string().chars().take(100).collect();
            let answer = response.text().await.unwrap_or_default();
            wrong.push(format!("{} {:.100} {what} as {:?}: {status} {answer:.300}", case.operation, case.path, case.role));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert!(refused > cases.len() / 2, "only {refused} of {} were refused: they prove little", cases.len());
    neighbour.finish("routes").await;
    assert_eq!(Person::with_token("").get("/api/health").await.0, 200, "{} is there", STACK.get("api_url"));
}
