//! What needs a stack of its own because it talks to a stand-in of an outside service, or because it is measured.

mod checks;
mod git;
mod large;
mod models;
