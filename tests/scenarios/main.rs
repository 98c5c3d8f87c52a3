//! What users see, area by area, against the real stack.

mod artifacts;
mod containment;
mod core;
mod engine;
mod gates;
mod guard;
mod plan;
