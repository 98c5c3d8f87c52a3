//! Plans that tests begin with.

#![expect(clippy::needless_pass_by_value, reason = "builders take what `json!` makes")]

use serde_json::{Value, json};

pub fn step(name: &str, tool: &str, needs: &[&str], inputs: Value) -> Value {
    json!({"name": name, "tool": tool, "needs": needs, "inputs": inputs})
}

pub fn plan(steps: Vec<Value>) -> Value {
    json!({"goal": "test", "steps": steps})
}

pub fn bash(name: &str, script: &str) -> Value {
    step(name, "bash", &[], json!({"script": script}))
}
