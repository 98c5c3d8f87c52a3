//! Reads the fields of one JSON object and collects all faults in them.

use std::fmt::Display;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::pointer_to;
use crate::problem::Fault;

pub(super) struct Fields<'a> {
    object: &'a Map<String, Value>,
    pointer: String,
}

impl<'a> Fields<'a> {
    /// The object at a pointer, or nothing and a fault.
    pub(super) fn of(value: &'a Value, pointer: impl Into<String>, faults: &mut Vec<Fault>) -> Option<Self> {
        let pointer = pointer.into();
        let Some(object) = value.as_object() else {
            faults.push(Fault::new(pointer, format!("must be an object, not {}", name_of(value))));
            return None;
        };
        Some(Self { object, pointer })
    }

    pub(super) fn at(&self, key: &str) -> String {
        pointer_to(&self.pointer, key)
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.object.get(key).filter(|value| !value.is_null())
    }

    pub(super) fn refuse_unknown(&self, known: &[&str], faults: &mut Vec<Fault>) {
        for key in self.object.keys().filter(|key| !known.contains(&key.as_str())) {
            faults.push(Fault::new(self.at(key), format!("unknown field; allowed: {}", known.join(", "))));
        }
    }

    pub(super) fn text(&self, key: &str, faults: &mut Vec<Fault>) -> Option<String> {
        let value = self.get(key)?;
        if value.as_str().is_none() {
            faults.push(Fault::new(self.at(key), format!("must be a string, not {}", name_of(value))));
        }
        value.as_str().map(str::to_owned)
    }

    /// A whole number within bounds.
    pub(super) fn number<T: TryFrom<i64> + Display + PartialOrd + Copy>(
        &self,
        key: &str,
        least: T,
        most: T,
        faults: &mut Vec<Fault>,
    ) -> Option<T> {
        let value = self.get(key)?;
        let number = value.as_i64().and_then(|number| T::try_from(number).ok()).filter(|number| *number >= least && *number <= most);
        if number.is_none() {
            faults.push(Fault::new(self.at(key), format!("must be a whole number from {least} to {most}, not {value}")));
        }
        number
    }

    pub(super) fn texts(&self, key: &str, faults: &mut Vec<Fault>) -> Option<Vec<String>> {
        let value = self.get(key)?;
        let texts = value.as_array().and_then(|items| items.iter().map(|item| item.as_str().map(str::to_owned)).collect());
        if texts.is_none() {
            faults.push(Fault::new(self.at(key), "must be a list of strings"));
        }
        texts
    }

    pub(super) fn object(&self, key: &str, faults: &mut Vec<Fault>) -> Option<&'a Map<String, Value>> {
        let value = self.get(key)?;
        if !value.is_object() {
            faults.push(Fault::new(self.at(key), format!("must be an object, not {}", name_of(value))));
        }
        value.as_object()
    }

    /// A value of a type whose own errors say what is wrong.
    pub(super) fn typed<T: DeserializeOwned>(&self, key: &str, faults: &mut Vec<Fault>) -> Option<T> {
        match serde_json::from_value(self.get(key)?.clone()) {
            Ok(value) => Some(value),
            Err(error) => {
                faults.push(Fault::new(self.at(key), error.to_string()));
                None
            }
        }
    }
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
