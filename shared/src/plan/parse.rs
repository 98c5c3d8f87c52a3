//! Text to plan.

use serde_json::Value;

use super::expression::apart;
use super::{Plan, limits, validate};
use crate::problem::Fault;

/// Checks a plan in JSON; all faults are reported at once.
pub fn from_json(plan: &Value) -> Result<Plan, Vec<Fault>> {
    validate::check(plan)
}

/// As `from_json`, on a thread for work that blocks: the expressions of a large plan take most of a second. Returns the JSON as well.
pub async fn check_apart(submitted: Value) -> Result<(Plan, Value), Vec<Fault>> {
    let work = move || Ok((from_json(&submitted)?, submitted));
    apart(work).await
}

/// Reads YAML into the JSON that `from_json` checks.
pub fn from_yaml(text: &str) -> Result<Value, Vec<Fault>> {
    if text.len() > limits::PLAN_BYTES {
        return Err(vec![Fault::new("", format!("the plan is {} bytes, the limit is {}", text.len(), limits::PLAN_BYTES))]);
    }
    serde_saphyr::from_str::<Value>(text).map_err(|error| vec![Fault::new("", format!("invalid YAML: {error}"))])
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::json;

    use super::check_apart;

    /// On a runtime with one thread, which must be free to go on with the other.
    #[tokio::test]
    async fn a_check_holds_up_nothing_else() {
        let sources: Vec<String> = (0..15).map(|n| format!("${{{{ {n}{} }}}}", "+1".repeat(950))).collect();
        let submitted = json!({"steps": [{"name": "a", "tool": "noop", "inputs": {"texts": sources}}]});
        let order = Mutex::new(vec![]);
        let note = |what| order.lock().expect("never poisoned").push(what);
        let checks = async {
            let (plan, json) = check_apart(submitted.clone()).await.expect("a plan");
            assert_eq!((plan.steps.len(), json), (1, submitted.clone()));
            note("checked");
        };
        tokio::join!(checks, async { note("another") });
        assert_eq!(*order.lock().expect("never poisoned"), ["another", "checked"]);
    }
}
