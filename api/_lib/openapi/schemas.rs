//! Schemas as generators of clients need them: what utoipa writes less exactly is put right here.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::document::operations;

const PREFIX: &str = "#/components/schemas/";

pub(super) fn complete(document: &mut Value) {
    name_pages(document);
    walk(document, &mut join_lines);
    walk(document, &mut open_free_objects);
    let mut sent = BTreeSet::new();
    let bodies: Vec<Value> = operations(document).map(|operation| operation["requestBody"].clone()).collect();
    bodies.iter().for_each(|body| reach(body, &document["components"]["schemas"], &mut sent));
    for (name, schema) in document["components"]["schemas"].as_object_mut().into_iter().flatten() {
        if !sent.contains(name) {
            walk(schema, &mut require_what_is_there);
        }
    }
}

/// `Page_X`, in which utoipa repeats X, becomes `XPage`, which refers to it.
fn name_pages(document: &mut Value) {
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    let pages: Vec<String> = schemas.keys().filter(|name| name.starts_with("Page_")).cloned().collect();
    for page in pages {
        let (Some(mut schema), Some(item)) = (schemas.remove(&page), page.strip_prefix("Page_")) else { continue };
        schema["description"] = json!(format!("A page of a list of `{item}`."));
        schema["properties"]["data"]["items"] = json!({"$ref": format!("{PREFIX}{item}")});
        schemas.insert(format!("{item}Page"), schema);
    }
    walk(document, &mut |schema| {
        if let Some(item) = schema.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix("#/components/schemas/Page_")) {
            schema["$ref"] = json!(format!("{PREFIX}{item}Page"));
        }
    });
}

/// Lines of a comment are as long as the code's; those of a description end where the paragraph ends.
fn join_lines(schema: &mut Map<String, Value>) {
    for key in ["summary", "description"] {
        if let Some(Value::String(text)) = schema.get_mut(key) {
            *text = text.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect::<Vec<_>>().join("\n\n");
        }
    }
}

/// An object without named fields may have any: by default generators would let it have none.
fn open_free_objects(schema: &mut Map<String, Value>) {
    let is_object = match &schema.get("type") {
        Some(Value::String(one)) => one == "object",
        Some(Value::Array(several)) => several.iter().any(|one| one == "object"),
        _ => false,
    };
    if is_object && !schema.contains_key("properties") && !schema.contains_key("additionalProperties") {
        schema.insert("additionalProperties".to_owned(), json!(true));
    }
}

/// In a response a field that may be null is there even so; the others that are optional are left out instead.
fn require_what_is_there(schema: &mut Map<String, Value>) {
    let is_nullable = |field: &Value| {
        let alternatives = ["oneOf", "anyOf"].iter().filter_map(|key| field[*key].as_array()).flatten();
        let mut types = alternatives.chain([field]).map(|one| &one["type"]);
        types.any(|one| one == "null" || one.as_array().is_some_and(|several| several.iter().any(|one| one == "null")))
    };
    let Some(fields) = schema.get("properties").and_then(Value::as_object) else { return };
    let mut required: BTreeSet<String> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    required.extend(fields.iter().filter(|(_, field)| is_nullable(field)).map(|(name, _)| name.clone()));
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
}

/// The names of the schemas that a value refers to, directly or not.
fn reach(value: &Value, schemas: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(name) = fields.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix(PREFIX))
                && names.insert(name.to_owned())
            {
                reach(&schemas[name], schemas, names);
            }
            fields.values().for_each(|field| reach(field, schemas, names));
        }
        Value::Array(items) => items.iter().for_each(|item| reach(item, schemas, names)),
        _ => {}
    }
}

fn walk(value: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(fields) => {
            change(fields);
            fields.values_mut().for_each(|field| walk(field, change));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, change)),
        _ => {}
    }
}
