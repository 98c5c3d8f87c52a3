//! E2B: its REST API (spec/openapi.yml of e2b-dev/E2B) and the `envd` of each sandbox (spec/envd: files, and processes by the Connect
//! protocol with JSON), with faults. Programs really run, each sandbox on a machine of its own.

mod account;
mod envd;
mod fault;
mod sandbox;

pub use account::E2b;
pub use fault::{Call, Fault};
