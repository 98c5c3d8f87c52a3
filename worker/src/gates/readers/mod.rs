//! Reads findings out of the output of tools: one file for each format, and the list of all in `format`.

mod cargo;
mod counts;
mod eslint;
mod format;
mod junit;
mod lines;
mod pytest;
mod reading;
mod ruff;
mod sarif;
mod tsc;

#[cfg(test)]
mod tests;

pub(super) use format::{Format, read, recognise};
pub(super) use reading::ToolOutput;
