//! The gate that looks for secrets: which files it scans (`files`), how (`scan`), and what a secret looks like (`rules`). It runs no tool.

mod files;
mod gate;
mod rules;
mod scan;
mod stopped;

pub(crate) use gate::Secrets;
