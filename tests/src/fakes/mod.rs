//! What cannot be had here, written from its published shape.

pub mod models;
pub mod otlp;
