//! Which step made which artifact from what, across runs.

mod draw;
mod get;
mod graph;
mod trace;

#[cfg(test)]
pub(crate) use get::LineageFormat;
pub(crate) use get::{__path_get_lineage, get_lineage};
