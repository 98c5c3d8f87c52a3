use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cel::IdedExpr;
use serde_json::Value;

use super::charge::{Charge, Charged, charge, set_left};
use super::cost::cost;
use super::metered::metered;
use super::parse::parse;
use super::size::charge_whole;
use super::{Budget, Invalid, Names};
use crate::plan::{VALUE_DEPTH, is_deep};

/// What an evaluation costs before it begins, in units: it goes to another thread and back.
const START: u64 = 50;
/// What a byte of an expression costs when it is parsed.
const PARSED_BYTE: u64 = 10;
/// How often a result is copied: it becomes JSON, and text.
const RESULT_COPIES: u64 = 3;

/// What is evaluated for an expression.
struct Tree {
    metered: IdedExpr,
    cost: u64,
}

/// The trees of the expressions that were evaluated.
#[derive(Default)]
pub(super) struct Evaluations {
    trees: HashMap<String, Result<Tree, Invalid>>,
}

impl Evaluations {
    /// To be called on a thread with a large stack, where this is dropped, too: trees are as deep as expressions are long.
    pub(super) fn evaluate(&mut self, source: &str, names: &Names, budget: &mut Budget) -> Result<Value, Invalid> {
        set_left(budget.0);
        let value = self.value(source, names);
        let left = set_left(0);
        *budget = Budget(left);
        // Not by the error: an expression may have gone on after it.
        if left == 0 { Err(Invalid::TooCostly(source.to_owned())) } else { value }
    }

    fn value(&mut self, source: &str, names: &Names) -> Result<Value, Invalid> {
        let failed = |error: cel::ExecutionError| Invalid::of(source, &error);
        charge(START).map_err(failed)?;
        if !self.trees.contains_key(source) {
            charge(u64::try_from(source.len()).unwrap_or(u64::MAX) * PARSED_BYTE).map_err(failed)?;
            self.trees
                .insert(source.to_owned(), parse(source).map(|tree| Tree { cost: cost(&tree), metered: metered(tree, Charge::Made) }));
        }
        let tree = self.trees[source].as_ref().map_err(Clone::clone)?;
        let value = catch_unwind(AssertUnwindSafe(|| run(tree, names)))
            .map_err(|_| Invalid::Expression(format!("could not evaluate `{source}`")))?
            .map_err(failed)?;
        let json = value.json().map_err(|error| Invalid::of(source, &format_args!("is not a JSON value: {error}")))?;
        if is_deep(&json) {
            return Err(Invalid::of(source, &format_args!("the value is nested deeper than {VALUE_DEPTH} levels")));
        }
        Ok(json)
    }
}

fn run(tree: &Tree, names: &Names) -> Charged<cel::Value> {
    charge(tree.cost)?;
    let value = cel::Value::resolve_val(&tree.metered, &names.0)?;
    for _ in 0..RESULT_COPIES {
        charge_whole(value.as_ref())?;
    }
    cel::Value::try_from(value.as_ref())
}
