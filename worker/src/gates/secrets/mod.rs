//! The gate that looks for secrets: what it scans (`gate`), how (`scan`), and what a secret looks like (`rules`). It runs no tool.

mod gate;
mod rules;
mod scan;

pub(crate) use gate::Secrets;
