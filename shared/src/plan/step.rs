//! One node of the DAG, as it is after every check. What a claim hands to a worker is `engine::ClaimedStep`.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Approval, OnFailure, Retry, pointer_to, template};
use crate::drivers::{Driver, Image, Level, Placement, Request, Resources, Toolchain};

/// A step, checked, with the plan's defaults applied.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct Step {
    pub name: String,
    pub tool: String,
    /// Names of steps that must finish first.
    #[schemars(default)]
    pub needs: Vec<String>,
    /// CEL; the step is skipped when it is false.
    pub r#if: Option<String>,
    /// CEL that yields a list: one child for each item.
    pub for_each: Option<String>,
    /// Inputs of the tool; `${{ … }}` is CEL.
    #[schemars(default)]
    pub inputs: Map<String, Value>,
    #[schemars(default)]
    pub retry: Retry,
    pub timeout_s: Option<u64>,
    #[schemars(default)]
    pub on_failure: OnFailure,
    /// Where it runs; default: the tenant's default driver, if that takes the tool, else `worker-container`.
    pub driver: Option<Driver>,
    /// The minimum of isolation; the tenant's minimum and the operator's apply too.
    pub min_isolation: Option<Level>,
    pub resources: Option<Resources>,
    /// What its sandbox is made from: for `modal`, `e2b` and with a `placement`.
    pub image: Option<Image>,
    /// Of the toolchains that a worker has, those that the step sees; default: the tenant's, else all. For `worker-container`.
    pub toolchains: Option<Vec<Toolchain>>,
    /// With `worker-container`: in a container of its own at ECS.
    pub placement: Option<Placement>,
    #[schemars(default)]
    pub env: Map<String, Value>,
    /// Names of secrets that the step may see.
    #[schemars(default)]
    pub secrets: Vec<String>,
    /// The approval that is required before the step runs.
    pub approval: Option<Approval>,
    /// Steps of the tenant with the same key run at most `concurrency_limit` at once.
    pub concurrency_key: Option<String>,
    /// Default: 1.
    pub concurrency_limit: Option<u32>,
    /// Reaches the step's effects, the same for every attempt: the header `Idempotency-Key` of `http`, `NOFX_IDEMPOTENCY_KEY` of `bash`.
    pub idempotency_key: Option<String>,
    /// Every step that its expressions name.
    #[serde(skip)]
    pub references: BTreeSet<String>,
}

impl Step {
    /// Calls back for every expression of the step, with the pointer of the text that has it; `pointer` is the step's own.
    pub(super) fn visit_expressions(&self, pointer: &str, each: &mut impl FnMut(&str, &str)) {
        for (key, source) in [("if", &self.r#if), ("for_each", &self.for_each)] {
            if let Some(source) = source {
                each(&format!("{pointer}/{key}"), source);
            }
        }
        if let Some(key) = &self.idempotency_key {
            template::visit(&Value::String(key.clone()), &format!("{pointer}/idempotency_key"), each);
        }
        for (key, values) in [("inputs", &self.inputs), ("env", &self.env)] {
            for (name, value) in values {
                template::visit(value, &pointer_to(&format!("{pointer}/{key}"), name), each);
            }
        }
    }

    /// What it asks of its driver.
    pub(super) fn request(&self) -> Request<'_> {
        Request {
            tool: &self.tool,
            driver: self.driver,
            placement: self.placement,
            image: self.image.as_ref(),
            toolchains: self.toolchains.as_deref(),
            min_isolation: self.min_isolation,
            resources: self.resources.as_ref(),
            timeout_s: self.timeout_s,
        }
    }

    /// Whether only a run can evaluate it: it has a condition, a list of items, or `${{ … }}`.
    pub fn needs_run(&self) -> bool {
        let mut found = false;
        self.visit_expressions("", &mut |_, _| found = true);
        found
    }

    /// What a worker needs to execute the step; empty fields are left out, because the row is read often.
    pub(super) fn spec(&self) -> Value {
        let mut spec = Map::new();
        let mut put = |key: &str, value: Value| {
            let empty = value.is_null() || value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty);
            if !empty {
                spec.insert(key.to_owned(), value);
            }
        };
        put("inputs", Value::Object(self.inputs.clone()));
        put("if", self.r#if.clone().into());
        put("for_each", self.for_each.clone().into());
        if self.retry != Retry::default() {
            put("retry", serde_json::to_value(&self.retry).unwrap_or_default());
        }
        put("timeout_s", self.timeout_s.into());
        for (key, field) in [
            ("driver", serde_json::to_value(self.driver)),
            ("min_isolation", serde_json::to_value(self.min_isolation)),
            ("resources", serde_json::to_value(&self.resources)),
            ("image", serde_json::to_value(&self.image)),
            ("placement", serde_json::to_value(self.placement)),
        ] {
            put(key, field.unwrap_or_default());
        }
        put("env", Value::Object(self.env.clone()));
        put("secrets", self.secrets.clone().into());
        put("approval", serde_json::to_value(&self.approval).unwrap_or_default());
        put("idempotency_key", self.idempotency_key.clone().into());
        put("refs", self.references.iter().cloned().collect::<Vec<_>>().into());
        // An empty list is not as if it were left out: it is none of them.
        spec.extend(self.toolchains.iter().map(|named| ("toolchains".to_owned(), serde_json::to_value(named).unwrap_or_default())));
        Value::Object(spec)
    }
}
