//! House rules as tests. A failing one says how to fix it.

mod advisories;
mod allowed;
mod crates;
mod declared_names;
mod deploy;
mod docs;
mod glossary;
mod imports;
mod lanes;
mod layout;
mod mod_files;
mod mutants;
mod names;
mod prototype;
mod refusals;
mod rooms;
mod rust_source;
mod script_source;
mod scripts;
mod sql;
mod temporary;
mod threats;
mod tokens;
mod unseen_imports;
mod words;
mod workspace_files;
