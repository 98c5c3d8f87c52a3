//! How deep values of plans and steps may be nested. Readers of JSON take 128 levels, and others are put around a value on its way: one that is
//! deeper is refused where it is made, because whoever reads it later could not say so. The database refuses what gets past (`is_deep`).

use serde_json::Value;

/// Most levels of lists and objects: of the inputs and outputs of a step, of the value of an expression.
pub const VALUE_DEPTH: usize = 64;

/// Whether a value has more levels than allowed.
pub fn is_deep(value: &Value) -> bool {
    is_deeper(value, VALUE_DEPTH)
}

fn is_deeper(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels == 0 || items.iter().any(|item| is_deeper(item, levels - 1)),
        Value::Object(fields) => levels == 0 || fields.values().any(|field| is_deeper(field, levels - 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{VALUE_DEPTH, is_deep};

    #[test]
    fn lists_and_objects_count_alike() {
        let nested = |levels: usize| {
            (0..levels).fold(json!(1), |inner, level| if level % 2 == 0 { json!([0, inner]) } else { json!({"a": 0, "b": inner}) })
        };
        assert!(!is_deep(&Value::Null) && !is_deep(&nested(VALUE_DEPTH)) && is_deep(&nested(VALUE_DEPTH + 1)) && is_deep(&nested(1000)));
        assert!(is_deep(&(0..VALUE_DEPTH).fold(json!([]), |inner, _| json!([inner]))), "an empty list is a level, too");
    }
}
