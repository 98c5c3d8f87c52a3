//! Tests that need a stack of their own because they talk to a stand-in of an outside service, or because they measure.

mod abuse;
mod checks;
mod dev;
mod drivers;
mod egress;
mod escape;
mod from_the_prototype;
mod function_calls;
mod function_models;
mod git;
mod image;
mod large;
mod limits;
mod metrics;
mod models;
mod schemathesis;
mod workspaces;
