//! What cannot be had here, written from its published shape.

pub mod checks;
pub mod edge_config;
pub mod forges;
pub mod models;
pub mod otlp;
