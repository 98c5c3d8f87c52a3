//! A step as its plan has it, in the claim of a worker.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::drivers::{Driver, Image, Level, Placement, Resources, Toolchain};

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
    pub toolchains: Option<Vec<Toolchain>>,
    pub placement: Option<Placement>,
    pub env: Map<String, Value>,
    pub secrets: Vec<String>,
    pub idempotency_key: Option<String>,
}

impl Spec {
    /// Reads an object, and nothing else: a struct could be read from a list, too, which would pass for a spec without fields.
    pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde_json::from_value(Value::Object(Map::deserialize(deserializer)?)).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Spec;

    #[test]
    fn what_cannot_be_read_is_an_error_and_never_an_empty_spec() {
        let wrong = [
            json!({"driver": "lambda"}),
            json!({"min_isolation": "L5"}),
            json!({"min_isolation": 2}),
            json!({"resources": {"gpu": 1}}),
            json!({"image": "-x"}),
            json!({"toolchains": ["../x"]}),
            json!({"toolchains": "rust"}),
            json!({"placement": "host"}),
            json!({"timeout_s": "soon"}),
            json!({"secrets": "A"}),
            json!({"for_each": 1}),
            json!([]),
            json!("x"),
            json!(null),
        ];
        for spec in wrong {
            assert!(Spec::read(&spec).is_err(), "{spec}");
        }
        let good = json!({"driver": "e2b", "image": "base", "resources": {"cpu_s": 1}, "retry": {"max_attempts": 2}, "refs": ["a"]});
        let none: Value = json!({"for_each": null, "if": null});
        assert!(Spec::read(&good).is_ok() && Spec::read(&json!({})).is_ok());
        assert!(Spec::read(&none).expect("nulls").for_each.is_none(), "as the database has it");
    }
}
