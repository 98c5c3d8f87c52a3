//! CEL: conditions, lists and values computed from the results of earlier steps.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cel::{Context, Program};
use serde_json::Value;

use super::limits;

/// The names that expressions may use.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    pub run: Value,
    /// `{name: {status, outputs}}`
    pub steps: Value,
    pub item: Value,
    pub index: Value,
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(String);

/// Stack of the thread that parses and evaluates. Both are recursive: the longest expression needs up to 2 MiB, as much as a thread of the
/// runtime has, and 100 MiB in a debug build. Only what is used of it takes memory.
const STACK_BYTES: usize = if cfg!(debug_assertions) { 256 << 20 } else { 16 << 20 };

/// Checks that text is CEL, without evaluating it.
pub fn check(source: &str) -> Result<(), Invalid> {
    compiled(source, drop)
}

/// Evaluates an expression.
pub fn evaluate(source: &str, scope: &Scope) -> Result<Value, Invalid> {
    evaluate_with(source, &[("run", &scope.run), ("steps", &scope.steps), ("item", &scope.item), ("index", &scope.index)])
}

/// Evaluates an expression over other names than those of a plan.
pub fn evaluate_with(source: &str, names: &[(&str, &Value)]) -> Result<Value, Invalid> {
    compiled(source, |program| {
        let mut context = Context::default();
        for (name, value) in names {
            context.add_variable_from_value(*name, to_cel(value));
        }
        let value = catch_unwind(AssertUnwindSafe(|| program.execute(&context)))
            .map_err(|_| Invalid(format!("could not evaluate `{source}`")))?
            .map_err(|error| Invalid(format!("`{source}`: {error}")))?;
        value.json().map_err(|error| Invalid(format!("`{source}` is not a JSON value: {error}")))
    })?
}

/// What `read` makes of an expression. Both run on a thread with a large stack: a stack that overflows would end the process.
pub(super) fn compiled<T: Send>(source: &str, read: impl FnOnce(Program) -> T + Send) -> Result<T, Invalid> {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name("cel".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || compile(source).map(read))
            .map_err(|error| Invalid(format!("could not start a thread for the expression: {error}")))?
            .join()
            .map_err(|_| Invalid(format!("could not read `{source}`")))?
    })
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

fn compile(source: &str) -> Result<Program, Invalid> {
    if source.len() > limits::EXPRESSION_BYTES {
        return Err(Invalid(format!("the expression has {} characters, the limit is {}", source.len(), limits::EXPRESSION_BYTES)));
    }
    if nesting(source) > limits::EXPRESSION_DEPTH {
        return Err(Invalid(format!("the expression is nested deeper than {} levels", limits::EXPRESSION_DEPTH)));
    }
    // The parser is generated code and not ours: a panic on odd text is an error of that text.
    match catch_unwind(|| Program::compile(source)) {
        Ok(Ok(program)) => Ok(program),
        Ok(Err(errors)) => Err(Invalid(match errors.errors.first() {
            Some(error) => format!("invalid CEL at line {}, column {}: {}", error.pos.0, error.pos.1 + 1, error.msg),
            None => "invalid CEL".to_owned(),
        })),
        Err(_) => Err(Invalid("invalid CEL: could not parse the expression".to_owned())),
    }
}

fn nesting(source: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0usize);
    for c in source.chars() {
        match c {
            '(' | '[' | '{' | '!' | '-' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Scope, check, evaluate};

    #[test]
    fn outputs_of_steps_are_read_by_name() {
        let steps = json!({"a": {"outputs": {"n": 2, "list": ["x"]}}, "b c": {"status": "failed"}});
        let scope = Scope { steps, ..Scope::default() };
        assert_eq!(evaluate("steps.a.outputs.n == 2", &scope), Ok(json!(true)));
        assert_eq!(evaluate("steps.a.outputs.list", &scope), Ok(json!(["x"])));
        assert_eq!(evaluate("steps[\"b c\"].status == 'failed'", &scope), Ok(json!(true)));
    }

    #[test]
    fn no_expression_overflows_the_stack() {
        let small = |work: fn()| std::thread::Builder::new().stack_size(256 << 10).spawn(work).expect("a thread").join().expect("no panic");
        small(|| {
            // What the limits allow: brackets that close and that do not, and a tree as deep as the text is long.
            assert_eq!(
                evaluate(&format!("{}1{}", "[".repeat(38), "]".repeat(38)), &Scope::default()).map(|value| value.is_array()),
                Ok(true)
            );
            for source in ["){", ")[", "({f(()f(A{A{{for{?a:1}("] {
                assert!(check(&source.repeat(1900 / source.len())).is_err(), "{source}");
            }
            for source in ["(", "[", "{1:", "f(", "a[", "!", "-"] {
                assert!(check(&source.repeat(40)).is_err(), "{source}");
            }
            assert_eq!(evaluate(&format!("1{}", "+1".repeat(990)), &Scope::default()), Ok(json!(991)));
            for source in [".x", "[0]", ".f()", ".map(x,x)", "<1"] {
                let deep = format!("run{}", source.repeat(1990 / source.len()));
                assert!(evaluate(&deep, &Scope::default()).is_err(), "{source}: it has no value");
            }
        });
    }

    #[test]
    fn bad_cel_says_where() {
        let error = check("steps.a ==").expect_err("not CEL").to_string();
        assert!(error.contains("line 1"), "{error}");
    }
}
