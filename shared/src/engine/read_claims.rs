//! Reads claimed steps from what the database returned, each by itself. What a step is: see `claimed_step`.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{ClaimedStep, Failure};

/// What a step is settled and measured by.
const IDENTITY: [&str; 10] = ["id", "run_id", "tenant_id", "name", "tool", "attempt", "ready_at", "token", "goal", "created_by"];

impl ClaimedStep {
    /// Reads the steps of a claim one by one: one that cannot be read (a field that no plan check has seen, outputs nested deeper than JSON is
    /// read here) is a fault of its own. As an error it would be that of the whole claim, whose steps of other tenants the database has leased.
    pub(super) fn read_all<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Self>, D::Error> {
        let rows: Vec<Box<RawValue>> = Vec::deserialize(deserializer)?;
        Ok(rows.iter().filter_map(|row| Self::read(row.get())).collect())
    }

    /// Reads one step; none, if it cannot even be settled.
    pub fn read(row: &str) -> Option<Self> {
        let error = match serde_json::from_str(row) {
            Ok(step) => return Some(step),
            Err(error) => error,
        };
        match Self::unreadable(row, &error) {
            Ok(step) => Some(step),
            Err(cause) => {
                // Its lease expires, and it is dead-lettered.
                tracing::error!(%error, %cause, "a claimed step has no identity");
                None
            }
        }
    }

    /// The step by its identity alone. What cannot be read is not looked at, however deep it is nested.
    fn unreadable(row: &str, error: &serde_json::Error) -> Result<Self, serde_json::Error> {
        let fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(row)?;
        let mut known = Map::new();
        for name in IDENTITY {
            if let Some(value) = fields.get(name) {
                known.insert(name.to_owned(), serde_json::from_str(value.get())?);
            }
        }
        known.insert("fault".to_owned(), error.to_string().into());
        serde_json::from_value(Value::Object(known))
    }

    /// Refuses a step that must not run because its row cannot be read.
    pub fn check_readable(&self) -> Result<(), Failure> {
        match &self.fault {
            Some(fault) => Err(Failure::permanent(format!("the step's row cannot be read: {fault}")).ignored_by_breaker()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::ClaimedStep;

    fn row(fields: &Value) -> String {
        let mut row = json!({
            "id": Uuid::from_u128(1), "run_id": Uuid::from_u128(2), "tenant_id": Uuid::from_u128(3), "name": "a", "tool": "bash", "attempt": 2,
            "token": Uuid::from_u128(4), "ready_at": "2026-01-01T00:00:00Z", "goal": "", "created_by": "", "spec": {},
        });
        row.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
        row.to_string()
    }

    fn read_all(rows: &[String]) -> Vec<ClaimedStep> {
        serde_json::from_str::<Claims>(&format!("[{}]", rows.join(","))).expect("never an error").0
    }

    #[derive(serde::Deserialize)]
    struct Claims(#[serde(deserialize_with = "ClaimedStep::read_all")] Vec<ClaimedStep>);

    #[test]
    fn one_that_cannot_be_read_is_a_fault_of_its_own() {
        let outputs = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
        let deep = row(&json!({"step_outputs": "DEEP"})).replace("\"DEEP\"", &outputs);
        let wrong = [
            json!({"spec": {"driver": "lambda"}}),
            json!({"spec": []}),
            json!({"spec": null}),
            json!({"workspace": 1}),
            json!({"hold": {"x": 1}}),
        ];
        let mut rows: Vec<String> = wrong.iter().map(row).collect();
        rows.extend([deep, row(&json!({"name": "good"})), row(&json!({"fault": "cannot extract elements from a scalar"}))]);
        rows.push(json!({"name": "nobody"}).to_string());
        let steps = read_all(&rows);
        assert_eq!(steps.len(), 8, "one without an identity cannot be settled");
        let readable: Vec<&str> = steps.iter().filter(|step| step.check_readable().is_ok()).map(|step| step.name.as_str()).collect();
        assert_eq!(readable, ["good"]);
        for step in &steps {
            assert_eq!((step.id, step.run_id, step.token, step.attempt), (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(4), 2));
        }
        let failure = steps[0].check_readable().expect_err("it must not run");
        assert!(!failure.transient && failure.message.contains("lambda"), "{failure:?}");
    }
}
