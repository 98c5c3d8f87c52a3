//! Stand-ins for outside services, written from their published shapes.

pub mod checks;
pub mod ecs;
pub mod edge_config;
pub mod forges;
pub mod modal;
pub mod models;
pub mod otlp;
