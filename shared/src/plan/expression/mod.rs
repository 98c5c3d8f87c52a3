//! CEL: conditions, lists and values computed from the results of earlier steps, and the filters of hooks. The `cel` crate parses and
//! evaluates; what it may use is here. A tree is refused when it nests too many macros (`macros`). Otherwise each of its nodes is wrapped in
//! a call that charges a budget for the work and the memory of its value (`metered`, `charge`, `size`), so that an evaluation ends when the
//! budget is used up, whatever the expression and the data are.
//!
//! Parsing and evaluating block their caller, for a few hundred milliseconds at most: on a thread that serves others they are called by
//! `apart`.

mod apart;
mod budget;
mod charge;
mod cost;
mod evaluate;
mod evaluator;
mod invalid;
mod macros;
mod matches;
mod metered;
mod names;
mod parse;
mod scope;
mod size;

pub use apart::apart;
pub use budget::Budget;
pub use evaluator::Evaluator;
pub use invalid::Invalid;
pub use names::Names;
pub use parse::check;
pub(super) use parse::parsed;
pub use scope::Scope;

#[cfg(test)]
mod tests;
