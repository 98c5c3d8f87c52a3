//! The plan language: text → validated plan → rows for `create_run`. Pure: calls no database and executes nothing.

mod depth;
pub mod expression;
mod fields;
mod graph;
mod limits;
mod options;
mod parse;
mod plan;
mod pointer;
mod references;
mod schema;
mod step;
mod template;
mod tools;
mod validate;

pub use depth::{VALUE_DEPTH, is_deep};
pub use options::{Approval, Budget, OnFailure, PullRequest, Retry, Workspace};
pub use parse::{check_apart, from_json, from_yaml};
pub use plan::Plan;
pub use pointer::pointer_to;
pub use schema::schema;
pub use step::Step;
pub use template::{has_expressions, resolve};
pub use tools::TOOLS;
pub use validate::fault_of_repository;
