//! `${{ … }}` in inputs and env: a string that is one expression becomes its value, others have it as text.

use serde_json::{Map, Value};

use super::expression::{Invalid, Scope};
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

/// Whether there is a `${{ … }}` in a value.
pub fn has_expressions(value: &Value) -> bool {
    let mut found = false;
    visit(value, "", &mut |_, _| found = true);
    found
}

/// Replaces every `${{ … }}` in a value.
pub fn resolve(value: &Value, scope: &mut Scope) -> Result<Value, Invalid> {
    Ok(match value {
        Value::String(text) => {
            let parts = parts(text);
            match parts.as_slice() {
                [("", Some(source)), ("", None)] => scope.evaluate(source)?,
                [(_, None)] => value.clone(),
                _ => {
                    let mut out = String::new();
                    for (before, source) in parts {
                        out.push_str(before);
                        match source.map(|source| scope.evaluate(source)).transpose()? {
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

    use super::{Scope, has_expressions, resolve};

    #[test]
    fn a_lone_expression_keeps_its_type_and_others_become_text() {
        let mut scope = Scope::new(&json!({}), &json!({}), &json!(["x", 1]), &json!(3));
        let value = json!({"whole": "${{ item }}", "text": "no ${{ index + 1 }}!", "plain": "$ {{ }}"});
        assert_eq!(resolve(&value, &mut scope), Ok(json!({"whole": ["x", 1], "text": "no 4!", "plain": "$ {{ }}"})));
    }
    #[test]
    fn the_expressions_of_a_value_have_one_budget() {
        let large = json!(vec![0; 10_000]);
        let copies = |count: usize| {
            let mut scope = Scope::new(&json!({}), &json!({}), &large, &json!(null));
            resolve(&json!(vec!["${{ item }}"; count]), &mut scope)
        };
        assert!(copies(10).is_ok());
        let error = copies(1000).expect_err("ten million values").to_string();
        assert!(error.contains("`item` takes too much work or memory"), "{error}");
    }

    #[test]
    fn expressions_are_found_wherever_they_are() {
        assert!(has_expressions(&json!({"a": [{"b": "x ${{ 1 }}"}]})));
        assert!(!has_expressions(&json!({"${{ 1 }}": ["$ {{ 1 }}", 1, null, "${{ 1"]})));
    }
}
