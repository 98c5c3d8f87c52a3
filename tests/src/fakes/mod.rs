//! Stand-ins for outside services, written from their published shapes.

pub mod checks;
pub mod e2b;
pub mod ecs;
pub mod edge_config;
pub mod forges;
pub mod git_host;
pub mod machine;
pub mod modal;
pub mod models;
pub mod otlp;
