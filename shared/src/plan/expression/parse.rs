use std::panic::catch_unwind;

use cel::{IdedExpr, Program};

use super::{Invalid, evaluator, macros};
use crate::plan::limits;

/// Checks that text is CEL, and small enough, without evaluating it.
pub fn check(source: &str) -> Result<(), Invalid> {
    parsed(source, drop)
}

/// What `read` makes of an expression's tree. Both run on a thread with a large stack: a stack that overflows would end the process.
pub(in crate::plan) fn parsed<T: Send>(source: &str, read: impl FnOnce(IdedExpr) -> T + Send) -> Result<T, Invalid> {
    std::thread::scope(|scope| {
        evaluator::large_stack()
            .spawn_scoped(scope, || parse(source).map(read))
            .map_err(|error| Invalid::Expression(format!("could not start a thread for the expression: {error}")))?
            .join()
            .map_err(|_| Invalid::Expression(format!("could not read `{source}`")))?
    })
}

pub(super) fn parse(source: &str) -> Result<IdedExpr, Invalid> {
    if source.len() > limits::EXPRESSION_BYTES {
        let detail = format!("the expression has {} characters, the limit is {}", source.len(), limits::EXPRESSION_BYTES);
        return Err(Invalid::Expression(detail));
    }
    if nesting(source) > limits::EXPRESSION_DEPTH {
        return Err(Invalid::Expression(format!("the expression is nested deeper than {} levels", limits::EXPRESSION_DEPTH)));
    }
    // The parser is generated code and not ours: a panic on odd text is an error of that text.
    let tree = match catch_unwind(|| Program::compile(source)) {
        Ok(Ok(program)) => program.expression().clone(),
        Ok(Err(errors)) => {
            return Err(Invalid::Expression(match errors.errors.first() {
                Some(error) => format!("invalid CEL at line {}, column {}: {}", error.pos.0, error.pos.1 + 1, error.msg),
                None => "invalid CEL".to_owned(),
            }));
        }
        Err(_) => return Err(Invalid::Expression("invalid CEL: could not parse the expression".to_owned())),
    };
    macros::check(&tree)?;
    Ok(tree)
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
    use super::check;

    #[test]
    fn bad_cel_says_where() {
        let error = check("steps.a ==").expect_err("not CEL").to_string();
        assert!(error.contains("line 1"), "{error}");
    }
}
