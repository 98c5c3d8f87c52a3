//! Text to plan.

use serde_json::Value;

use super::{Plan, limits, validate};
use crate::problem::Fault;

/// Checks a plan in JSON; all faults are reported at once.
pub fn from_json(plan: &Value) -> Result<Plan, Vec<Fault>> {
    validate::check(plan)
}

/// Reads YAML into the JSON that `from_json` checks.
pub fn from_yaml(text: &str) -> Result<Value, Vec<Fault>> {
    if text.len() > limits::PLAN_BYTES {
        return Err(vec![Fault::new("", format!("the plan is {} bytes, the limit is {}", text.len(), limits::PLAN_BYTES))]);
    }
    serde_saphyr::from_str::<Value>(text).map_err(|error| vec![Fault::new("", format!("invalid YAML: {error}"))])
}
