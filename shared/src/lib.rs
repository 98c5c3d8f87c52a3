//! Code that API, worker and CLI share: nouns of the domain, the plan language, and one call per SQL function.
//! No loops, routes or processes here; what only one of them uses lives there.

pub mod artifacts;
pub mod audit;
pub mod auth;
pub mod cache;
pub mod containment;
pub mod crypto;
pub mod db;
pub mod drivers;
pub mod engine;
pub mod events;
pub mod function_calls;
pub mod gates;
pub mod hooks;
pub mod limits;
pub mod models;
pub mod net;
pub mod plan;
pub mod problem;
pub mod queue;
pub mod retention;
pub mod secrets;
pub mod settings;
pub mod storage;
pub mod telemetry;
