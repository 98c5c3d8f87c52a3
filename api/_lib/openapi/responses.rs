//! The refusals that a route can answer with, since layers and extractors refuse before it does, and the descriptions of results.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use nofx_shared::problem::Kind;
use serde_json::{Map, Value, json};

use super::document::operations;
use crate::http::{status, type_uri};

/// The name and meaning of a refusal.
fn refusal(status: u16) -> (&'static str, &'static str) {
    match status {
        400 => ("BadRequest", "A parameter, a header or the JSON of the body is not valid."),
        401 => ("Unauthorized", "The credential is missing, not valid, expired or revoked."),
        403 => ("Forbidden", "The caller's role or the scopes of its API key do not suffice, or a pre-request hook denied the request."),
        404 => ("NotFound", "What the path or the body names does not exist in the caller's tenant."),
        409 => {
            ("Conflict", "The state of the resource does not permit the request, or one with the same `Idempotency-Key` is in progress.")
        }
        413 => ("BodyTooLarge", "The body is too large."),
        415 => ("UnsupportedEncoding", "`Content-Encoding` is not supported."),
        422 => ("Unprocessable", "The body is JSON and not valid; `errors` names each fault and its place."),
        429 => ("TooManyRequests", "Too many requests, or a quota of the tenant is exceeded."),
        500 => ("InternalError", "An error inside; quote `X-Request-Id` when you report it."),
        503 => ("Unavailable", "The database or Storage is unavailable for a moment."),
        504 => ("TimedOut", "The request took too long; what it changes may still take effect."),
        other => panic!("name the refusal with status {other} in openapi/responses.rs"),
    }
}

pub(super) fn complete(document: &mut Value) {
    let schemas = document["components"]["schemas"].clone();
    for operation in operations(document) {
        let common = common(operation);
        let id = operation["operationId"].to_string();
        let named = operation["responses"].as_object().cloned().unwrap_or_default();
        let mut responses: BTreeMap<String, Value> = common.into_iter().map(|status| (status.to_string(), Value::Null)).collect();
        responses.extend(named);
        for (status, response) in &mut responses {
            match status.parse().unwrap_or_default() {
                304 => *response = to("NotModified"),
                refused @ 400.. => *response = to(refusal(refused).0),
                204 => response["description"] = json!("Done; there is nothing to return."),
                _ => describe(response, &schemas, &id),
            }
        }
        operation["responses"] = json!(responses);
    }
    let components = &mut document["components"];
    components["responses"] = shared();
    // The kinds of problems as they are sent.
    components["schemas"]["Problem"]["properties"]["type"]["enum"] = Kind::ALL.iter().map(|kind| type_uri(*kind)).collect();
    components["schemas"]["Problem"]["properties"]["type"]["format"] = json!("uri");
}

fn to(name: &str) -> Value {
    json!({"$ref": format!("#/components/responses/{name}")})
}

/// The refusals that follow from what an operation takes.
fn common(operation: &Value) -> Vec<u16> {
    let parameters: Vec<&Value> = operation["parameters"].as_array().into_iter().flatten().collect();
    let takes = |place: &str| parameters.iter().any(|one| one["in"] == place);
    let schemes: Vec<&String> =
        operation["security"].as_array().into_iter().flatten().filter_map(Value::as_object).flat_map(Map::keys).collect();
    let has_body = operation.get("requestBody").is_some();
    let mut statuses = vec![429, 500, 503, 504];
    if takes("query") || takes("header") || has_body {
        statuses.push(400);
    }
    if !schemes.is_empty() {
        statuses.push(401);
    }
    if schemes.iter().any(|scheme| *scheme == "bearer") {
        statuses.push(403);
    }
    if takes("path") {
        statuses.push(404);
    }
    if has_body {
        statuses.extend([413, 415]);
    }
    if operation.pointer("/requestBody/content/application~1json/schema/$ref").is_some() {
        statuses.push(422);
    }
    if parameters.iter().any(|one| one["name"] == "Idempotency-Key") {
        statuses.extend([409, 422]);
    }
    statuses
}

/// A result is described by its schema.
fn describe(response: &mut Value, schemas: &Value, id: &str) {
    if response["description"].as_str().is_some_and(|text| !text.is_empty()) {
        return;
    }
    let contents = response["content"].as_object().into_iter().flat_map(Map::values);
    let name = contents.filter_map(|content| content["schema"]["$ref"].as_str()?.rsplit('/').next()).next();
    let text = name.and_then(|name| schemas[name]["description"].as_str());
    response["description"] = json!(text.unwrap_or_else(|| panic!("{id}: describe its result, or the type of that")));
}

/// Each status once, with an example of every kind of problem that has it.
fn shared() -> Value {
    let mut kinds: BTreeMap<u16, Vec<Kind>> = BTreeMap::new();
    for kind in Kind::ALL {
        kinds.entry(status(*kind).as_u16()).or_default().push(*kind);
    }
    let mut responses =
        Map::from_iter([("NotModified".to_owned(), json!({"description": "What `If-None-Match` names is still current."}))]);
    for (status, kinds) in kinds {
        let examples: Map<String, Value> = kinds
            .iter()
            .map(|kind| {
                let problem =
                    json!({"type": type_uri(*kind), "title": kind.title(), "status": status, "detail": format!("{}.", kind.title()),
                    "instance": "/api/runs", "request_id": "01980e4c-9c5d-7f02-9a44-7b1e2d3c4f55"});
                (kind.slug().to_owned(), json!({"summary": kind.title(), "value": problem}))
            })
            .collect();
        let (name, description) = refusal(status);
        let mut response = json!({
            "description": description,
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}},
        });
        let header = match StatusCode::from_u16(status) {
            Ok(StatusCode::UNAUTHORIZED) => Some(("WWW-Authenticate", json!({"type": "string"}), "`Bearer`.")),
            Ok(StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) => {
                Some(("Retry-After", json!({"type": "integer"}), "Seconds after which to try again, where that is known."))
            }
            _ => None,
        };
        if let Some((header, schema, description)) = header {
            response["headers"][header] = json!({"description": description, "schema": schema});
        }
        responses.insert(name.to_owned(), response);
    }
    json!(responses)
}
