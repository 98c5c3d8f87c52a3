//! A step as its plan has it, in the claim of a worker.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::drivers::{Driver, Image, Level, Placement, Resources};

/// A step as the plan has it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Spec {
    pub inputs: Map<String, Value>,
    pub r#if: Option<String>,
    pub for_each: Option<String>,
    pub timeout_s: Option<u64>,
    pub driver: Option<Driver>,
    pub min_isolation: Option<Level>,
    pub resources: Option<Resources>,
    pub image: Option<Image>,
    pub placement: Option<Placement>,
    pub env: Map<String, Value>,
    pub secrets: Vec<String>,
    pub idempotency_key: Option<String>,
    /// Why it could not be read: the step must not run. Its other fields are empty then.
    #[serde(skip)]
    pub fault: Option<String>,
}

impl Spec {
    /// Reads any value. Who may create runs can write rows that no plan check has seen, and one that cannot be read must fail its own step:
    /// as an error it would be that of the whole claim, with the steps of other tenants.
    pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        // A struct could be read from a list, too.
        let spec = Map::deserialize(value).and_then(|fields| serde_json::from_value(Value::Object(fields)));
        Ok(spec.unwrap_or_else(|error| Self { fault: Some(error.to_string()), ..Self::default() }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Spec;

    fn read(spec: &Value) -> Spec {
        Spec::read(spec).expect("never an error")
    }

    #[test]
    fn what_cannot_be_read_is_a_fault_of_its_step_alone() {
        let wrong = [
            json!({"driver": "lambda"}),
            json!({"min_isolation": "L5"}),
            json!({"min_isolation": 2}),
            json!({"resources": {"gpu": 1}}),
            json!({"image": "-x"}),
            json!({"placement": "host"}),
            json!({"timeout_s": "soon"}),
            json!({"secrets": "A"}),
            json!([]),
            json!("x"),
            json!(null),
        ];
        for spec in wrong {
            let read = read(&spec);
            assert!(read.fault.is_some() && read.driver.is_none(), "{spec}: {read:?}");
        }
        let good = json!({"driver": "e2b", "image": "base", "resources": {"cpu_s": 1}, "retry": {"max_attempts": 2}, "refs": ["a"]});
        assert!(read(&good).fault.is_none() && read(&json!({})).fault.is_none());
    }
}
