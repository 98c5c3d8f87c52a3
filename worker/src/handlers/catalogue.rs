//! The tools as text for models that write plans. For people they are docs/tools.md, which the tests generate.

use std::fmt::Write;

use serde_json::Value;

use super::all;

/// A line for each tool: the first sentence of its documentation and the JSON Schema of its inputs' fields.
pub(crate) fn tool_catalogue() -> String {
    let mut text = String::new();
    for handler in all() {
        let (tool, inputs) = handler.schemas();
        let summary =
            tool.get("description").and_then(Value::as_str).unwrap_or_default().split("\n\n").next().unwrap_or_default().replace('\n', " ");
        let fields = inputs.get("properties").cloned().unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "- {}: {summary} Inputs: {fields}", handler.tool());
    }
    text
}
