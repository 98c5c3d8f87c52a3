//! Examples of requests and results, made of an example of each field, so that they fit their schemas and one another. `examples.json` has the
//! values: `field` for fields of that name, `Schema.field` for one of them, `Schema` or `operation.request` and `operation.response` for a whole.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::document::operations;

pub(super) fn add(document: &mut Value) {
    let examples = Examples {
        values: serde_json::from_str(include_str!("examples.json")).expect("examples.json is JSON"),
        schemas: document["components"]["schemas"].clone(),
        used: RefCell::default(),
        missing: RefCell::default(),
    };
    for operation in operations(document) {
        let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
        for content in
            operation.pointer_mut("/requestBody/content").and_then(Value::as_object_mut).into_iter().flat_map(|all| all.values_mut())
        {
            content["example"] = examples.of(&content["schema"], &format!("{id}.request"));
        }
        for (_, response) in operation["responses"].as_object_mut().into_iter().flatten().filter(|(status, _)| status.starts_with('2')) {
            for (media_type, content) in response.get_mut("content").and_then(Value::as_object_mut).into_iter().flatten() {
                let place = if media_type == "application/json" { format!("{id}.response") } else { format!("{id}.{media_type}") };
                content["example"] = examples.of(&content["schema"], &place);
            }
        }
    }
    let missing = examples.missing.take();
    let unused: Vec<&String> = examples.values.keys().filter(|key| !examples.used.borrow().contains(*key)).collect();
    assert!(missing.is_empty() && unused.is_empty(), "openapi/examples.json needs examples of {missing:?}, and not of {unused:?}");
}

struct Examples {
    values: Map<String, Value>,
    schemas: Value,
    used: RefCell<BTreeSet<String>>,
    missing: RefCell<BTreeSet<String>>,
}

impl Examples {
    /// The value that `examples.json` has under a key.
    fn value(&self, key: &str) -> Option<Value> {
        let value = self.values.get(key)?;
        self.used.borrow_mut().insert(key.to_owned());
        Some(value.clone())
    }

    /// An example of a schema. `place` is its own name, or where it is: `Schema.field`.
    fn of(&self, schema: &Value, place: &str) -> Value {
        if let Some(value) = self.value(place) {
            return value;
        }
        if let Some(name) = schema["$ref"].as_str().and_then(|to| to.rsplit('/').next()) {
            return self.value(&field_of(place)).unwrap_or_else(|| self.of(&self.schemas[name], name));
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let parts = parts.iter().map(|part| self.of(part, place));
            return Value::Object(parts.filter_map(|part| part.as_object().cloned()).flatten().collect());
        }
        let alternatives = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array());
        if let Some(first) = alternatives.into_iter().flatten().find(|one| one["type"] != "null") {
            return self.of(first, place);
        }
        if let Some(fields) = schema["properties"].as_object() {
            // A part of a whole has the name of the whole.
            let name = place.rsplit('.').next().unwrap_or(place);
            return fields.iter().map(|(field, schema)| (field.clone(), self.of(schema, &format!("{name}.{field}")))).collect();
        }
        if let Some(first) = schema["enum"].as_array().and_then(|values| values.first()) {
            return first.clone();
        }
        if let Some(value) = self.value(&field_of(place)) {
            return value;
        }
        let of_type = |name: &str| schema["type"] == name || schema["type"].as_array().is_some_and(|types| types.contains(&json!(name)));
        if of_type("array") {
            return json!([self.of(&schema["items"], place)]);
        }
        match schema["format"].as_str() {
            Some("uuid") => return json!("01980e4c-9c5e-7b3a-8f21-5d2c6e7a9b10"),
            Some("date-time") => return json!("2026-07-15T09:30:00Z"),
            _ if of_type("boolean") => return json!(false),
            _ => {}
        }
        self.missing.borrow_mut().insert(place.to_owned());
        Value::Null
    }
}

/// The key of all fields with the name of this one.
fn field_of(place: &str) -> String {
    place.split_once('.').map_or_else(String::new, |(_, field)| field.to_owned())
}
