//! The events as an AsyncAPI 3.1 document, made from the types.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::{CloudEvent, EventType};

/// Every type of event as a message, in the CloudEvents form of the stream and the hooks.
pub fn document() -> Value {
    let mut generator =
        SchemaSettings::draft07().with(|settings| settings.definitions_path = "/components/schemas".into()).into_generator();
    let types = generator.root_schema_for::<EventType>().to_value();
    let cloud_event = generator.root_schema_for::<CloudEvent>().to_value();
    let mut schemas: Map<String, Value> = [&types, &cloud_event]
        .into_iter()
        .flat_map(|schema| schema["components"]["schemas"].as_object().cloned().unwrap_or_default())
        .collect();
    let mut plain = cloud_event;
    for key in ["$schema", "components"] {
        plain.as_object_mut().map(|schema| schema.remove(key));
    }
    schemas.insert("CloudEvent".to_owned(), plain);
    let mut messages = Map::new();
    let mut offered = Map::new();
    for event in types["oneOf"].as_array().into_iter().flatten() {
        let name = event["properties"]["type"]["const"].as_str().unwrap_or_default();
        let message = json!({
            "name": name, "title": name, "contentType": "application/cloudevents+json", "summary": event["description"],
            "payload": {"allOf": [{"$ref": "#/components/schemas/CloudEvent"}, {"type": "object",
                "properties": {"type": {"const": name}, "data": event["properties"]["data"]}}]},
        });
        messages.insert(name.to_owned(), without_nulls(message));
        offered.insert(name.to_owned(), json!({"$ref": format!("#/components/messages/{name}")}));
    }
    json!({
        "asyncapi": "3.1.0",
        "info": {
            "title": "NOFX events", "version": env!("CARGO_PKG_VERSION"),
            "description": "CloudEvents 1.0 in the order of the log, at least once; `id` is the cursor to continue from.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {
            "events": {
                "address": "/api/events/stream", "messages": offered,
                "description": "Server-sent events: `id` is the cursor, `event` the type. Last-Event-ID resumes a stream.",
            },
            "hooks": {
                "address": null, "messages": offered,
                "description": "The same events, posted to a hook's URL as a Standard Webhook.",
            },
        },
        "operations": {
            "streamEvents": {
                "action": "send", "channel": {"$ref": "#/channels/events"}, "summary": "Streams the events of a tenant to whoever asks.",
            },
            "deliverHooks": {
                "action": "send", "channel": {"$ref": "#/channels/hooks"}, "summary": "Posts events to the hooks whose filter they pass.",
            },
        },
        "components": {"messages": messages, "schemas": schemas},
    })
}

fn without_nulls(mut value: Value) -> Value {
    if let Some(object) = value.as_object_mut() {
        object.retain(|_, value| !value.is_null());
    }
    value
}

#[cfg(test)]
mod tests {
    use super::document;

    #[test]
    fn every_type_is_a_message_and_every_reference_leads_somewhere() {
        let document = document();
        let messages = document["components"]["messages"].as_object().expect("messages");
        assert!(messages.len() >= 35 && messages.contains_key("step.waiting"), "{}", messages.len());
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1) {
            let pointer = reference.split('"').next().expect("an end");
            assert!(document.pointer(pointer).is_some(), "{pointer} leads nowhere");
        }
    }
}
