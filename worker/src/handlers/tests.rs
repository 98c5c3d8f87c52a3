//! The list is the plan language's list of tools, and docs/tools.md is its documentation.

use std::fmt::Write;

use serde_json::Value;

use super::all;

#[test]
fn plans_may_name_exactly_the_tools_that_have_a_handler() {
    let here: Vec<&str> = all().iter().map(|handler| handler.tool()).collect();
    assert_eq!(here, nofx_shared::plan::TOOLS);
}

/// The type of a field, as a word.
fn kind(field: &Value, inputs: &schemars::Schema) -> String {
    match &field["type"] {
        Value::String(one) => one.clone(),
        Value::Array(several) => several.iter().filter_map(Value::as_str).filter(|one| *one != "null").collect::<Vec<_>>().join(" or "),
        _ => {
            // A named type: an object or an enum.
            let named = field["$ref"].as_str().or_else(|| field["anyOf"][0]["$ref"].as_str());
            let schema = named.and_then(|name| inputs.as_value().pointer(name.trim_start_matches('#')));
            schema.map_or("anything", |schema| if schema["type"] == "object" { "object" } else { "word" }).to_owned()
        }
    }
}

fn page() -> String {
    let mut page =
        "# Tools\n\nMade from the doc comments of `worker/src/handlers`: change them there, then run the tests with `NOFX_UPDATE=1`.\n"
            .to_owned();
    for handler in all() {
        let (tool, inputs) = handler.schemas();
        let text = tool.get("description").and_then(Value::as_str).unwrap_or_default();
        write!(page, "\n## `{}`\n\n{text}\n\nDefault timeout: {} s.\n", handler.tool(), handler.default_timeout_s()).expect("text");
        let empty = serde_json::Map::new();
        let fields = inputs.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        if !fields.is_empty() {
            page.push_str("\n| input | takes | what |\n| --- | --- | --- |\n");
        }
        let required = inputs.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        for (name, field) in fields {
            let must = if required.iter().any(|one| one == name) { ", required" } else { "" };
            let text = field["description"].as_str().unwrap_or_default().replace('\n', " ");
            writeln!(page, "| `{name}` | {}{must} | {text} |", kind(field, &inputs)).expect("text");
        }
    }
    page
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a flag accepts the page as it is")]
fn every_tool_is_documented() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/tools.md");
    let page = page();
    if std::env::var("NOFX_UPDATE").is_ok() {
        std::fs::write(&path, &page).expect("written");
    }
    assert!(
        std::fs::read_to_string(&path).is_ok_and(|written| written == page),
        "docs/tools.md is not what the code says: run the tests with NOFX_UPDATE=1"
    );
    for handler in all() {
        assert!(handler.schemas().0.get("description").is_some(), "{} has no doc comment", handler.tool());
    }
}
