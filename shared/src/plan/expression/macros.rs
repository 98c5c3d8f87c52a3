//! How many macros (`all`, `exists`, `map`, …) an expression may have. Each goes over a list, and one inside of another does so for each
//! element of that: their nesting is the exponent of the work.

use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr};

use super::Invalid;
use crate::plan::limits;

pub(super) fn check(tree: &IdedExpr) -> Result<(), Invalid> {
    let mut found = Macros { count: 0, deepest: 0 };
    found.visit(tree, 0);
    if found.deepest > limits::MACRO_DEPTH {
        return Err(Invalid::Expression(format!(
            "{} macros (`all`, `exists`, `map`, `filter`) are inside of each other, the limit is {}: split the expression over several steps",
            found.deepest,
            limits::MACRO_DEPTH
        )));
    }
    if found.count > limits::MACROS {
        return Err(Invalid::Expression(format!(
            "the expression has {} macros (`all`, `exists`, `map`, `filter`), the limit is {}: split it over several steps",
            found.count,
            limits::MACROS
        )));
    }
    Ok(())
}

struct Macros {
    count: usize,
    deepest: usize,
}

impl Macros {
    /// `depth`: how many macros evaluate this once for each of their elements.
    fn visit(&mut self, tree: &IdedExpr, depth: usize) {
        match &tree.expr {
            Expr::Select(select) => self.visit(&select.operand, depth),
            Expr::Call(call) => call.target.iter().map(Box::as_ref).chain(&call.args).for_each(|inner| self.visit(inner, depth)),
            Expr::List(list) => list.elements.iter().for_each(|inner| self.visit(inner, depth)),
            Expr::Map(map) => map.entries.iter().for_each(|entry| self.visit_entry(&entry.expr, depth)),
            Expr::Struct(object) => object.entries.iter().for_each(|entry| self.visit_entry(&entry.expr, depth)),
            Expr::Comprehension(expanded) => {
                self.count += 1;
                self.deepest = self.deepest.max(depth + 1);
                self.visit(&expanded.iter_range, depth);
                self.visit(&expanded.accu_init, depth);
                for inner in [&expanded.loop_cond, &expanded.loop_step, &expanded.result] {
                    self.visit(inner, depth + 1);
                }
            }
            Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => {}
        }
    }

    fn visit_entry(&mut self, entry: &EntryExpr, depth: usize) {
        match entry {
            EntryExpr::StructField(field) => self.visit(&field.value, depth),
            EntryExpr::MapEntry(entry) => {
                self.visit(&entry.key, depth);
                self.visit(&entry.value, depth);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::expression::check;

    /// `depth` macros inside of each other.
    fn nested(depth: usize) -> String {
        (0..depth).fold("true".to_owned(), |inner, at| format!("[1,1].all(x{at}, {inner})"))
    }

    #[test]
    fn macros_inside_of_each_other_have_a_limit() {
        assert_eq!(check(&nested(4)), Ok(()));
        let error = check(&nested(5)).expect_err("too deep").to_string();
        assert!(error.contains("5 macros") && error.contains("limit is 4") && error.contains("split"), "{error}");
        // In whatever they are hidden.
        for source in ["{'a': X}.a", "[X][0]", "size(X) > 0", "(X ? 1 : 2) > 0", "-X", "has(X.a)", "[1].map(y, X, y)", "[1].exists(y, X)"] {
            let depth = if source.contains('y') { 4 } else { 5 };
            assert!(check(&source.replace('X', &nested(depth))).is_err(), "{source}");
            assert_eq!(check(&source.replace('X', &nested(depth - 1))), Ok(()), "{source}");
        }
    }

    #[test]
    fn macros_have_a_limit_in_all_and_lists_that_are_gone_over_once_do_not_nest() {
        assert_eq!(check(&format!("[1]{}", ".map(x, x)".repeat(16))), Ok(()));
        let error = check(&format!("[1]{}", ".map(x, x)".repeat(17))).expect_err("too many").to_string();
        assert!(error.contains("17 macros") && error.contains("limit is 16"), "{error}");
        assert_eq!(check(&vec!["has(run.goal)"; 40].join(" && ")), Ok(()), "`has` goes over nothing");
    }
}
