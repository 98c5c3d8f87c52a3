//! `codegen`: the prompt for a model (`prompt`), and the files of its response (`files`), which are written below the workspace only.

mod files;
mod generate;
mod inputs;
mod prompt;

pub(super) use generate::Codegen;
