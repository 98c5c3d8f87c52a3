//! A tree that charges for its evaluation: nodes are wrapped in the functions of `charge`, by what the node around them does with their
//! values. The value of the tree stays the same. What the evaluator recognises by its form is left in that form: names (`a.b.c`), and how
//! the macros collect their results.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, ListExpr, LiteralValue, operators};

use super::charge::{Charge, EACH, MATCHES};
use super::cost::{cost, segments};
use super::size::TEXT_BYTES;

pub(super) fn metered(tree: IdedExpr, charge: Charge) -> IdedExpr {
    let expr = match tree.expr {
        Expr::Literal(literal) if charge == Charge::Made || is_small(&literal, charge) => return node(Expr::Literal(literal)),
        Expr::Ident(name) if charge == Charge::Made => return node(Expr::Ident(name)),
        Expr::Select(select) if segments(&select.operand.expr).is_some() => Expr::Select(select),
        Expr::Select(mut select) => {
            meter(&mut select.operand, Charge::Made);
            Expr::Select(select)
        }
        Expr::Call(call) if is_decision(&call.func_name) => return node(Expr::Call(metered_call(call))),
        Expr::Call(call) => Expr::Call(metered_call(call)),
        Expr::List(list) => Expr::List(ListExpr { elements: all(list.elements, Charge::Whole), ..list }),
        Expr::Map(mut map) => {
            map.entries.iter_mut().for_each(|entry| meter_entry(&mut entry.expr));
            Expr::Map(map)
        }
        Expr::Struct(mut object) => {
            object.entries.iter_mut().for_each(|entry| meter_entry(&mut entry.expr));
            Expr::Struct(object)
        }
        Expr::Comprehension(expanded) => Expr::Comprehension(Box::new(metered_macro(*expanded))),
        expr @ (Expr::Literal(_) | Expr::Ident(_) | Expr::Unspecified) => expr,
    };
    wrapped(charge.function(), vec![node(expr)])
}

fn node(expr: Expr) -> IdedExpr {
    IdedExpr { id: 0, expr }
}

fn wrapped(function: &str, args: Vec<IdedExpr>) -> IdedExpr {
    node(Expr::Call(CallExpr { func_name: function.to_owned(), target: None, args }))
}

fn all(trees: Vec<IdedExpr>, charge: Charge) -> Vec<IdedExpr> {
    trees.into_iter().map(|tree| metered(tree, charge)).collect()
}

fn meter(tree: &mut IdedExpr, charge: Charge) {
    *tree = metered(std::mem::take(tree), charge);
}

fn meter_entry(entry: &mut EntryExpr) {
    match entry {
        EntryExpr::StructField(field) => meter(&mut field.value, Charge::Whole),
        EntryExpr::MapEntry(entry) => {
            meter(&mut entry.key, Charge::Whole);
            meter(&mut entry.value, Charge::Whole);
        }
    }
}

/// Costs no more than its node.
fn is_small(literal: &LiteralValue, charge: Charge) -> bool {
    match literal {
        LiteralValue::String(text) => text.inner().len() <= TEXT_BYTES,
        LiteralValue::Bytes(bytes) => bytes.inner().len() <= TEXT_BYTES,
        LiteralValue::Double(_) => charge != Charge::Index,
        LiteralValue::Boolean(_) | LiteralValue::Int(_) | LiteralValue::Null | LiteralValue::UInt(_) => true,
    }
}

/// Whether an operator's value is true or false.
fn is_decision(operator: &str) -> bool {
    use operators::{EQUALS, GREATER, GREATER_EQUALS, IN, LESS, LESS_EQUALS, LOGICAL_AND, LOGICAL_NOT, LOGICAL_OR, NOT_EQUALS};
    [EQUALS, GREATER, GREATER_EQUALS, IN, LESS, LESS_EQUALS, LOGICAL_AND, LOGICAL_NOT, LOGICAL_OR, NOT_EQUALS].contains(&operator)
}

fn metered_call(call: CallExpr) -> CallExpr {
    let CallExpr { func_name, target, args } = call;
    match (func_name.as_str(), target) {
        ("matches", Some(target)) if args.len() == 1 => {
            let args = std::iter::once(*target).chain(args).collect();
            CallExpr { func_name: MATCHES.to_owned(), target: None, args: all(args, Charge::Text) }
        }
        ("matches", None) if args.len() == 2 => CallExpr { func_name: MATCHES.to_owned(), target: None, args: all(args, Charge::Text) },
        // Not a target but the first part of a function's name.
        (_, Some(target)) if matches!(&target.expr, Expr::Ident(name) if name.trim_start_matches('.') == "optional") => {
            CallExpr { func_name, target: Some(target), args: all(args, Charge::Whole) }
        }
        (_, Some(target)) => CallExpr { func_name, target: Some(Box::new(metered(*target, Charge::Text))), args: all(args, Charge::Text) },
        (name, None) => {
            let [first, others] = operands(name);
            let args = args.into_iter().enumerate().map(|(at, arg)| metered(arg, if at == 0 { first } else { others })).collect();
            CallExpr { func_name, target: None, args }
        }
    }
}

/// What is charged for the first operand and for the others.
fn operands(operator: &str) -> [Charge; 2] {
    match operator {
        operators::CONDITIONAL
        | operators::LOGICAL_AND
        | operators::LOGICAL_OR
        | operators::LOGICAL_NOT
        | operators::NOT_STRICTLY_FALSE
        | operators::OPT_SELECT => [Charge::Made; 2],
        operators::INDEX | operators::OPT_INDEX => [Charge::Made, Charge::Index],
        operators::IN => [Charge::Whole, Charge::Members],
        name if name.starts_with(|first: char| first.is_ascii_alphabetic()) => [Charge::Text; 2],
        _ => [Charge::Whole; 2],
    }
}

/// Each element is copied. The condition is charged so that it ends the loop when the budget is used up: `all` and `exists` go on after an
/// error.
fn metered_macro(expanded: ComprehensionExpr) -> ComprehensionExpr {
    let element = i64::try_from(cost(&expanded.loop_cond) + cost(&expanded.loop_step)).unwrap_or(i64::MAX);
    let element = node(Expr::Literal(LiteralValue::Int(element.into())));
    let loop_cond = match &expanded.loop_cond.expr {
        Expr::Literal(_) => expanded.loop_cond,
        _ => wrapped(Charge::Made.function(), vec![metered(expanded.loop_cond, Charge::Made)]),
    };
    ComprehensionExpr {
        iter_range: wrapped(EACH, vec![element, metered(expanded.iter_range, Charge::Made)]),
        accu_init: metered(expanded.accu_init, Charge::Whole),
        loop_cond,
        loop_step: metered_step(expanded.loop_step, &expanded.accu_var),
        result: metered(expanded.result, Charge::Made),
        ..expanded
    }
}

/// The forms in which macros collect: `result && x`, `result || x`, `result + [x]`, and `condition ? … : result`.
fn metered_step(tree: IdedExpr, result: &str) -> IdedExpr {
    let is_result = |tree: &IdedExpr| matches!(&tree.expr, Expr::Ident(name) if name == result);
    let Expr::Call(mut call) = tree.expr else { return metered(tree, Charge::Whole) };
    match (call.func_name.as_str(), call.args.as_mut_slice()) {
        (operators::LOGICAL_AND | operators::LOGICAL_OR, [first, element]) if is_result(first) => meter(element, Charge::Made),
        (operators::ADD, [first, IdedExpr { expr: Expr::List(list), .. }]) if is_result(first) => {
            list.elements.iter_mut().for_each(|element| meter(element, Charge::Whole));
        }
        (operators::CONDITIONAL, [condition, step, last]) if is_result(last) => {
            meter(condition, Charge::Made);
            *step = metered_step(std::mem::take(step), result);
        }
        _ => return metered(node(Expr::Call(call)), Charge::Whole),
    }
    node(Expr::Call(call))
}
