//! The API's description, generated from the routers by the test that checks it in (`system/describe.rs`, which serves it). A route names what
//! it does, its inputs and its result; what many routes have in common is added here.

mod document;
mod examples;
mod inputs;
mod responses;
mod schemas;
mod security;

pub(crate) use document::document;
