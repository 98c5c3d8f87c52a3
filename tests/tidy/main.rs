//! Rules of the house as tests. A failing one says how to mend it.

mod crates;
mod deploy;
mod docs;
mod layout;
mod mutants;
mod sql;
mod tokens;
