//! The JSON Schema of a plan as its author writes it: the checked plan's, with what only the written form has.

use serde_json::{Value, json};

use super::{Plan, tools};

/// The schema published at `/api/schemas/plan.json`.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Plan).to_value();
    let retry = json!({"$ref": "#/$defs/Retry"});
    close(&mut schema, &["steps"]);
    schema["title"] = json!("NOFX plan");
    schema["properties"]["metadata"] = json!({"type": "object", "description": "Stored with the run; NOFX does not read it."});
    schema["properties"]["defaults"] = json!({
        "type": "object", "additionalProperties": false, "description": "Defaults for every step.",
        "properties": {
            "retry": retry, "timeout_s": {"type": "integer", "minimum": 1, "maximum": 86400}, "driver": {"$ref": "#/$defs/Driver"},
            "env": {"type": "object", "additionalProperties": {"type": "string"}}, "on_failure": {"$ref": "#/$defs/OnFailure"},
        },
    });
    schema["properties"]["steps"]["description"] = json!("Without any `needs`, steps run in this order.");
    let step = &mut schema["$defs"]["Step"];
    close(step, &["name", "tool"]);
    step["description"] = json!("One node of the DAG.");
    step["properties"]["name"]["pattern"] = json!("^[A-Za-z0-9 _.-]{1,80}$");
    step["properties"]["tool"]["description"] = json!(format!("One of: {}.", tools::TOOLS.join(", ")));
    step["properties"]["depends_on"] = json!({"type": "array", "items": {"type": "string"}, "description": "The same as `needs`."});
    for read in ["tools_allowed", "env_allowed", "secrets_scope"] {
        step["properties"][read] = json!({"description": "Accepted for plans of the prototype; the tenant's policy decides."});
    }
    schema
}

/// Only these fields, and these of them always.
fn close(object: &mut Value, required: &[&str]) {
    object["additionalProperties"] = json!(false);
    object["required"] = json!(required);
}
