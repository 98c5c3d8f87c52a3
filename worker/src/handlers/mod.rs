//! Tools: one file for each, and the list of all. A handler returns data; it never settles, emits, retries or waits.

mod bash;
mod codegen;
mod db_write;
mod fail;
mod gate;
mod git;
mod http;
mod manual;
mod noop;
mod planning;
mod sleep;
mod workspace_write;

use std::future::Future;
use std::marker::PhantomData;

use futures::future::BoxFuture;
use nofx_shared::engine::{Failure, Outcome};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::gates;
use crate::step::StepContext;

/// A tool. Its doc comment and those of its inputs are its page in docs/tools.md.
pub(crate) trait Handler: JsonSchema + Send + Sync + 'static {
    /// A name, or a prefix that ends in `:*`.
    const TOOL: &'static str;
    /// The default timeout of a step.
    const TIMEOUT_S: u64 = 600;
    /// Its inputs, checked before it runs.
    type Inputs: DeserializeOwned + JsonSchema + Send;

    fn run(step: &StepContext, inputs: Self::Inputs) -> impl Future<Output = Result<Outcome, Failure>> + Send;
}

/// The one list of tools.
fn all() -> [&'static dyn Erased; 23] {
    [
        &Tool::<noop::Noop>::NEW,
        &Tool::<sleep::Sleep>::NEW,
        &Tool::<fail::Fail>::NEW,
        &Tool::<bash::Bash>::NEW,
        &Tool::<http::Http>::NEW,
        &Tool::<gate::GateHandler<gates::Typecheck>>::NEW,
        &Tool::<gate::GateHandler<gates::Lint>>::NEW,
        &Tool::<gate::GateHandler<gates::Unit>>::NEW,
        &Tool::<gate::GateHandler<gates::CoverageGate>>::NEW,
        &Tool::<gate::GateHandler<gates::Sast>>::NEW,
        &Tool::<gate::GateHandler<gates::Secrets>>::NEW,
        &Tool::<gate::GateHandler<gates::Audit>>::NEW,
        &Tool::<gate::GateHandler<gates::E2eSmoke>>::NEW,
        &Tool::<codegen::Codegen>::NEW,
        &Tool::<db_write::DbWrite>::NEW,
        &Tool::<workspace_write::WorkspaceWrite>::NEW,
        &Tool::<git::Branch>::NEW,
        &Tool::<git::Commit>::NEW,
        &Tool::<git::Push>::NEW,
        &Tool::<git::PullRequest>::NEW,
        &Tool::<planning::PlanMake>::NEW,
        &Tool::<planning::PlanSubmit>::NEW,
        &Tool::<manual::Manual>::NEW,
    ]
}

pub(crate) fn find(tool: &str) -> Option<&'static dyn Erased> {
    all().into_iter().find(|handler| match handler.tool().strip_suffix('*') {
        Some(prefix) => tool.starts_with(prefix),
        None => handler.tool() == tool,
    })
}

/// The name of the tool's handler: `manual:*` for `manual:review`.
pub(crate) fn name(tool: &str) -> &'static str {
    find(tool).map_or("unknown", |handler| handler.tool())
}

/// Each tool with the first sentence of its documentation and the JSON Schema of its inputs' fields: for models that write plans.
pub(crate) fn describe() -> impl Iterator<Item = (&'static str, String, Value)> {
    all().into_iter().map(|handler| {
        let (tool, inputs) = handler.schemas();
        let summary =
            tool.get("description").and_then(Value::as_str).unwrap_or_default().split("\n\n").next().unwrap_or_default().replace('\n', " ");
        (handler.tool(), summary, inputs.get("properties").cloned().unwrap_or_default())
    })
}

/// A handler without the type of its inputs.
pub(crate) trait Erased: Send + Sync {
    fn tool(&self) -> &'static str;
    fn default_timeout_s(&self) -> u64;
    /// JSON Schemas of the tool and of its inputs; their descriptions are the documentation.
    fn schemas(&self) -> (schemars::Schema, schemars::Schema);
    fn run<'a>(&'a self, step: &'a StepContext, inputs: Value) -> BoxFuture<'a, Result<Outcome, Failure>>;
}

struct Tool<H>(PhantomData<H>);

impl<H> Tool<H> {
    const NEW: Self = Self(PhantomData);
}

impl<H: Handler> Erased for Tool<H> {
    fn tool(&self) -> &'static str {
        H::TOOL
    }

    fn default_timeout_s(&self) -> u64 {
        H::TIMEOUT_S
    }

    fn schemas(&self) -> (schemars::Schema, schemars::Schema) {
        (schemars::schema_for!(H), schemars::schema_for!(H::Inputs))
    }

    fn run<'a>(&'a self, step: &'a StepContext, inputs: Value) -> BoxFuture<'a, Result<Outcome, Failure>> {
        Box::pin(async move {
            let inputs = serde_json::from_value(inputs).map_err(|error| Failure::permanent(format!("inputs of {}: {error}", H::TOOL)))?;
            H::run(step, inputs).await
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use serde_json::Value;

    #[test]
    fn plans_may_name_exactly_the_tools_that_have_a_handler() {
        let here: Vec<&str> = super::all().iter().map(|handler| handler.tool()).collect();
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
        for handler in super::all() {
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
        for handler in super::all() {
            assert!(handler.schemas().0.get("description").is_some(), "{} has no doc comment", handler.tool());
        }
    }
}
