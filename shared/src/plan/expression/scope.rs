use serde_json::Value;

use super::{Budget, Evaluator, Invalid, Names};

/// The expressions of one attempt of a step: over the same names, within one budget.
pub struct Scope {
    names: Names,
    evaluator: Evaluator,
    budget: Budget,
}

impl Scope {
    /// `steps`: `{name: {status, outputs}}`.
    pub fn new(run: &Value, steps: &Value, item: &Value, index: &Value) -> Self {
        let names = Names::new(&[("run", run), ("steps", steps), ("item", item), ("index", index)]);
        Self { names, evaluator: Evaluator::default(), budget: Budget::STEP }
    }

    pub fn evaluate(&mut self, source: &str) -> Result<Value, Invalid> {
        self.evaluator.evaluate(source, &self.names, &mut self.budget)
    }
}
