//! Stand-ins for outside services, written from their published shapes.

pub mod checks;
pub mod edge_config;
pub mod forges;
pub mod git_host;
pub mod models;
pub mod otlp;
