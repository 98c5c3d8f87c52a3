//! What operations take: parameters that mean the same wherever they are named, and bodies.

use serde_json::{Value, json};

use super::document::operations;
use crate::http::may_be_repeated;

fn description(name: &str) -> Option<&'static str> {
    Some(match name {
        "Idempotency-Key" => {
            "A name for this request, 1 to 255 visible characters: for 24 hours the same request with the same key has effect once and gets the \
             same response."
        }
        "Last-Event-ID" => "The `id` of the last event that was received; clients of server-sent events send it when they reconnect.",
        "after" => "The `id` of an event: only those after it.",
        "created_after" => "Only runs that were created after this time.",
        "created_before" => "Only runs that were created before this time.",
        "cursor" => "The `next_cursor` of the previous page; the first page without one.",
        "goal" => "Only runs with this text in their goal, in upper or lower case.",
        "hook_id" => "Only deliveries of this hook.",
        "id" => "The id of the resource that the path names.",
        "job" => "The job to run.",
        "limit" => "How many rows the page has at most.",
        "needs_approval" => "True: only runs with a gate that waits for a decision.",
        "reason" => "Only dead letters with this reason.",
        "run_id" => "Only what belongs to this run.",
        "status" => "Only those with this status.",
        "step_id" => "The id of a step of the run.",
        "tool" => "Only those of this tool.",
        "types" => "Only events of these types, separated by commas: `run.failed,gate.requested`.",
        _ => return None,
    })
}

pub(super) fn complete(document: &mut Value) {
    add_keys(document);
    let schemas = document["components"]["schemas"].clone();
    for operation in operations(document) {
        // An empty body is an empty object.
        if let Some(body) = operation.get_mut("requestBody") {
            let schema = body.pointer("/content/application~1json/schema/$ref").and_then(Value::as_str);
            let schema = schema.and_then(|to| to.rsplit('/').next()).map(|name| &schemas[name]);
            let may_be_empty = schema.is_some_and(|schema| schema["type"] == "object" && schema.get("required").is_none());
            body["required"] = json!(!may_be_empty);
        }
        let id = operation["operationId"].clone();
        for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap_or_default().to_owned();
            if parameter.get("description").is_none() {
                let text = description(&name).unwrap_or_else(|| panic!("{id}: describe the parameter `{name}`"));
                parameter["description"] = json!(text);
            }
            match name.as_str() {
                "limit" => {
                    let most = parameter["schema"].get("maximum").cloned().unwrap_or_else(|| json!(100));
                    parameter["schema"] = json!({"type": "integer", "minimum": 1, "maximum": most, "default": 50});
                }
                "Idempotency-Key" => parameter["schema"] = json!({"type": "string", "minLength": 1, "maxLength": 255}),
                _ => {}
            }
        }
    }
}

/// What changes something in the name of a caller takes a key: the layer before all routes honours it.
fn add_keys(document: &mut Value) {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (path, item) in paths {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            let schemes = operation["security"].as_array().into_iter().flatten();
            let has_caller = schemes.filter_map(Value::as_object).any(|scheme| scheme.contains_key("bearer"));
            if method == "get" || !has_caller || !may_be_repeated(method, path.trim_start_matches("/api")) {
                continue;
            }
            let key = json!({"name": "Idempotency-Key", "in": "header", "required": false, "schema": {"type": "string"}});
            match operation.get_mut("parameters").and_then(Value::as_array_mut) {
                Some(parameters) => parameters.push(key),
                None => operation["parameters"] = json!([key]),
            }
        }
    }
}
