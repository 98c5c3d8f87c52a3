//! Which steps an expression names, read from CEL's own tree.

use std::collections::BTreeSet;

use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr, LiteralValue, operators};

use super::expression::{Invalid, parsed};

const STEPS: &str = "steps";

/// The steps that an expression names: `steps.name` or `steps["name"]`. What a macro calls `steps`, as in `list.map(steps, steps.x)`, is an
/// element of its list and no step. Text that is not CEL, is too long or is nested too deeply is an error.
pub(super) fn references(source: &str) -> Result<BTreeSet<String>, Invalid> {
    parsed(source, |tree| {
        let mut found = BTreeSet::new();
        visit(&tree, false, &mut found);
        found
    })
}

/// `is_shadowed`: whether a macro around this gives the name `steps` to something else. The tree is no deeper than its text is long, which
/// `parsed` limits.
fn visit(expression: &IdedExpr, is_shadowed: bool, found: &mut BTreeSet<String>) {
    let mut each = |inner: &IdedExpr| visit(inner, is_shadowed, found);
    match &expression.expr {
        Expr::Select(select) => {
            each(&select.operand);
            if is_steps(&select.operand, is_shadowed) {
                found.insert(select.field.clone());
            }
        }
        Expr::Call(call) => {
            call.target.iter().for_each(|target| each(target));
            call.args.iter().for_each(&mut each);
            if let (operators::INDEX, [operand, index]) = (call.func_name.as_str(), call.args.as_slice())
                && let Expr::Literal(LiteralValue::String(name)) = &index.expr
                && is_steps(operand, is_shadowed)
            {
                found.insert(name.inner().to_owned());
            }
        }
        Expr::Comprehension(expanded) => {
            each(&expanded.iter_range);
            each(&expanded.accu_init);
            let names = [Some(&expanded.iter_var), expanded.iter_var2.as_ref(), Some(&expanded.accu_var)];
            let is_shadowed = is_shadowed || names.into_iter().flatten().any(|name| name == STEPS);
            for inner in [&expanded.loop_cond, &expanded.loop_step, &expanded.result] {
                visit(inner, is_shadowed, found);
            }
        }
        Expr::List(list) => list.elements.iter().for_each(each),
        Expr::Map(map) => map.entries.iter().for_each(|entry| visit_entry(&entry.expr, is_shadowed, found)),
        Expr::Struct(object) => object.entries.iter().for_each(|entry| visit_entry(&entry.expr, is_shadowed, found)),
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => {}
    }
}

fn visit_entry(entry: &EntryExpr, is_shadowed: bool, found: &mut BTreeSet<String>) {
    match entry {
        EntryExpr::StructField(field) => visit(&field.value, is_shadowed, found),
        EntryExpr::MapEntry(entry) => {
            visit(&entry.key, is_shadowed, found);
            visit(&entry.value, is_shadowed, found);
        }
    }
}

/// Whether an expression is the plan's variable `steps`. With a dot in front it is that inside of a macro, too.
fn is_steps(expression: &IdedExpr, is_shadowed: bool) -> bool {
    matches!(&expression.expr, Expr::Ident(name) if name == ".steps" || (name == STEPS && !is_shadowed))
}

#[cfg(test)]
mod tests {
    use super::references;

    fn found(source: &str) -> Vec<String> {
        references(source).unwrap_or_else(|error| panic!("{source}: {error}")).into_iter().collect()
    }

    #[test]
    fn references_are_found_in_both_forms() {
        assert_eq!(found(r#"steps.a.outputs.x && steps["b c"].status == 'ok' && mysteps.z"#), ["a", "b c"]);
        assert_eq!(found("steps [ 'a' ].outputs . x + steps\n.b.outputs.x"), ["a", "b"]);
        assert_eq!(found("has(steps.a.outputs) && size(steps['b'].outputs.list) > 0"), ["a", "b"]);
        assert_eq!(found(r#"{"key": [steps.a.x], steps.b.x: 1}[steps.c.x]"#), ["a", "b", "c"]);
        assert_eq!(found(r#"steps["\x61"].x == steps[r'b"'].x"#), ["a", "b\""], "a name is what its literal means");
        assert_eq!(found("true ? steps.a.x : -steps.b.x"), ["a", "b"]);
        assert_eq!(found("steps.a.outputs.list.filter(x, x == steps.b.outputs.x).map(x, steps.c.outputs[x])"), ["a", "b", "c"]);
    }

    #[test]
    fn what_only_reads_like_a_reference_is_none() {
        for source in [
            "'steps.x'",
            r#"run.goal == "see steps.x or steps['y']""#,
            "'''\nsteps.x\n''' != r'steps[\"y\"]'",
            "// steps.x\ntrue",
            "run.steps.x",
            "item.steps['x']",
            "steps[item].outputs",
            "size(steps)",
            "{'steps': {'x': 1}}.steps.x",
        ] {
            assert_eq!(found(source), [""; 0], "{source}");
        }
    }

    #[test]
    fn a_macros_variable_hides_the_steps() {
        assert_eq!(found("[{'x': 1}].map(steps, steps.x)"), [""; 0]);
        assert_eq!(found("[steps.a.x].exists(steps, steps.x == 1 && [1].all(y, steps['z'] == y)) && steps.b.x"), ["a", "b"]);
        assert_eq!(found("[{'x': 1}].map(steps, .steps.c.x)"), ["c"], "a dot in front reaches around the macro");
    }

    #[test]
    fn text_that_is_no_cel_or_too_long_or_too_deep_is_an_error() {
        assert!(references("steps.a ==").is_err());
        assert!(references(&format!("{}steps.a{}", "(".repeat(50), ")".repeat(50))).is_err());
        assert!(references(&format!("steps.a{}", "+1".repeat(1000))).is_err());
        // As deep as its length allows.
        assert_eq!(found(&format!("steps.a{}", "+1".repeat(990))), ["a"]);
        assert_eq!(found(&format!("steps.a{}", ".x".repeat(990))), ["a"]);
    }
}
