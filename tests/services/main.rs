//! What needs a stack of its own because it talks to a stand-in of an outside service, or because it is measured.

mod abuse;
mod checks;
mod git;
mod large;
mod limits;
mod metrics;
mod models;
mod schemathesis;
