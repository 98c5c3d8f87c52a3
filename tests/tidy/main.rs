//! House rules as tests. A failing one says how to fix it.

mod crates;
mod deploy;
mod docs;
mod layout;
mod mutants;
mod sql;
mod tokens;
