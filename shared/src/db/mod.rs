//! Calls of the database through PostgREST, with the caller's own identity, a deadline on every call, and refusals as problems.

mod client;
mod error;
mod query;
mod request_origin;
mod schema_version;

pub use client::Db;
pub use error::Error;
pub use query::Query;
pub use request_origin::RequestOrigin;
pub use schema_version::{SCHEMA, schema_version};
