//! Every check of a plan, in passes that report all they find: fields first, then what fields say about each other.

mod approvals;
mod check;
mod expressions;
mod needs;
mod plan_fields;
mod step_fields;
#[cfg(test)]
mod tests;
mod warnings;
mod workspace;

pub(super) use check::check;
pub use workspace::fault_of_repository;
