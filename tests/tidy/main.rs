//! House rules as tests. A failing one says how to fix it.

mod advisories;
mod allowed;
mod crates;
mod declared_names;
mod deploy;
mod docs;
mod glossary;
mod imports;
mod layout;
mod mutants;
mod rooms;
mod rust_source;
mod sql;
mod tokens;
mod words;
