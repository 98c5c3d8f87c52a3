//! The check of a plan, away from the threads that serve requests: the expressions of a large one take most of a second.

use nofx_shared::plan::expression::apart;
use nofx_shared::plan::{self, Plan};
use nofx_shared::problem::Fault;
use serde_json::Value;

/// A plan that passed every check, with the text as it was submitted.
pub(crate) struct CheckedPlan {
    pub plan: Plan,
    pub submitted: Value,
}

/// What is wrong with a plan.
pub(crate) struct Faulty {
    pub found: Vec<Fault>,
    /// The plan, when it could be read.
    pub submitted: Option<Value>,
}

/// Reads a plan and checks it, on a thread for work that blocks.
pub(crate) async fn checked(read: impl FnOnce() -> Result<Value, Vec<Fault>> + Send + 'static) -> Result<CheckedPlan, Faulty> {
    let work = move || {
        let submitted = read().map_err(|found| Faulty { found, submitted: None })?;
        match plan::from_json(&submitted) {
            Ok(plan) => Ok(CheckedPlan { plan, submitted }),
            Err(found) => Err(Faulty { found, submitted: Some(submitted) }),
        }
    };
    apart(work).await
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use serde_json::json;

    use super::checked;

    /// On a runtime with one thread, which must be free to let the check go on.
    #[tokio::test]
    async fn a_check_holds_up_nothing_else() {
        let (go_on, waits) = mpsc::channel();
        let check = checked(move || {
            waits.recv().expect("a word");
            Ok(json!({"steps": [{"name": "a", "tool": "noop"}]}))
        });
        let (checked, ()) = tokio::join!(check, async { go_on.send(()).expect("it waits") });
        assert!(checked.is_ok_and(|checked| checked.plan.steps.len() == 1 && checked.submitted["steps"].is_array()));
    }

    #[tokio::test]
    async fn faults_are_returned() {
        let faulty = checked(|| Ok(json!({"steps": [{"name": "a", "tool": "rm"}]}))).await.err().expect("a bad plan");
        assert!(faulty.found[0].pointer == "/steps/0/tool" && faulty.submitted.is_some());
    }
}
