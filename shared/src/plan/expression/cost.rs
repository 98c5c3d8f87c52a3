//! What it costs to evaluate the nodes of a tree once, whatever their values are: a unit for each. What a macro does for each element counts
//! when its list is there.

use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr};

pub(super) fn cost(tree: &IdedExpr) -> u64 {
    let all = |trees: &[IdedExpr]| trees.iter().map(cost).sum::<u64>();
    1 + match &tree.expr {
        Expr::Select(select) => segments(&select.operand.expr).map_or_else(|| cost(&select.operand), |count| lookups(count + 1)),
        Expr::Call(call) => call.target.as_deref().map_or(0, cost) + all(&call.args),
        Expr::List(list) => all(&list.elements),
        Expr::Map(map) => map.entries.iter().map(|entry| cost_of_entry(&entry.expr)).sum(),
        Expr::Struct(object) => object.entries.iter().map(|entry| cost_of_entry(&entry.expr)).sum(),
        Expr::Comprehension(expanded) => cost(&expanded.iter_range) + cost(&expanded.accu_init) + cost(&expanded.result),
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => 0,
    }
}

fn cost_of_entry(entry: &EntryExpr) -> u64 {
    match entry {
        EntryExpr::StructField(field) => cost(&field.value),
        EntryExpr::MapEntry(entry) => cost(&entry.key) + cost(&entry.value),
    }
}

/// How many names a qualified name has: `a.b.c` has three.
pub(super) fn segments(expr: &Expr) -> Option<u64> {
    let (mut count, mut expr) = (1, expr);
    loop {
        match expr {
            Expr::Ident(_) => return Some(count),
            Expr::Select(select) if !select.test => (count, expr) = (count + 1, &select.operand.expr),
            _ => return None,
        }
    }
}

/// A qualified name is looked up as a whole, then without its last name, and so on; each attempt reads the text of the name.
fn lookups(count: u64) -> u64 {
    count * count / 8
}
