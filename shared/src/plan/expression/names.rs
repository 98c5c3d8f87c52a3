use std::collections::HashMap;
use std::sync::Arc;

use cel::Context;
use serde_json::Value;

use super::charge;

/// The names that expressions may use, with their values as CEL has them.
#[derive(Clone)]
pub struct Names(pub(super) Arc<Context<'static, 'static>>);

impl Names {
    pub fn new(names: &[(&str, &Value)]) -> Self {
        let mut context = Context::with_env(charge::env());
        for (name, value) in names {
            context.add_variable_from_value(*name, to_cel(value));
        }
        Self(Arc::new(context))
    }
}

/// Whole numbers become CEL's `int`, never its `uint`: `index + 1` has no meaning for a uint.
fn to_cel(value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => cel::Value::Int(whole),
            (None, Some(real)) => cel::Value::Float(real),
            (None, None) => cel::Value::Null,
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => items.iter().map(to_cel).collect::<Vec<_>>().into(),
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), to_cel(value))).collect::<HashMap<_, _>>().into(),
    }
}
