//! `${{ … }}` in inputs and env: a string that is one expression becomes its value, others have it as text.

use serde_json::{Map, Value};

use super::expression::{self, Invalid, Scope};
use super::pointer_to;

/// The expressions of a text, with the text between them.
fn parts(text: &str) -> Vec<(&str, Option<&str>)> {
    let mut found = vec![];
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        let Some((source, tail)) = after.split_once("}}") else { break };
        found.push((before, Some(source.trim())));
        rest = tail;
    }
    found.push((rest, None));
    found
}

/// Calls back for every expression in a value, with the pointer of the text that has it.
pub(super) fn visit(value: &Value, pointer: &str, each: &mut impl FnMut(&str, &str)) {
    match value {
        Value::String(text) => {
            for source in parts(text).into_iter().filter_map(|(_, source)| source) {
                each(pointer, source);
            }
        }
        Value::Array(items) => items.iter().enumerate().for_each(|(at, item)| visit(item, &format!("{pointer}/{at}"), each)),
        Value::Object(fields) => fields.iter().for_each(|(key, item)| visit(item, &pointer_to(pointer, key), each)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Replaces every `${{ … }}` in a value.
pub fn resolve(value: &Value, scope: &Scope) -> Result<Value, Invalid> {
    Ok(match value {
        Value::String(text) => {
            let parts = parts(text);
            match parts.as_slice() {
                [("", Some(source)), ("", None)] => expression::evaluate(source, scope)?,
                [(_, None)] => value.clone(),
                _ => {
                    let mut out = String::new();
                    for (before, source) in parts {
                        out.push_str(before);
                        match source.map(|source| expression::evaluate(source, scope)).transpose()? {
                            Some(Value::String(text)) => out.push_str(&text),
                            Some(other) => out.push_str(&other.to_string()),
                            None => {}
                        }
                    }
                    Value::String(out)
                }
            }
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| resolve(item, scope)).collect::<Result<_, _>>()?),
        Value::Object(fields) => Value::Object(
            fields.iter().map(|(key, item)| Ok((key.clone(), resolve(item, scope)?))).collect::<Result<Map<_, _>, Invalid>>()?,
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Scope, resolve};

    #[test]
    fn a_lone_expression_keeps_its_type_and_others_become_text() {
        let scope = Scope { item: json!(["x", 1]), index: json!(3), ..Scope::default() };
        let value = json!({"whole": "${{ item }}", "text": "no ${{ index + 1 }}!", "plain": "$ {{ }}"});
        assert_eq!(resolve(&value, &scope), Ok(json!({"whole": ["x", 1], "text": "no 4!", "plain": "$ {{ }}"})));
    }
}
