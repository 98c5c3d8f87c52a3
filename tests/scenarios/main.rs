//! The product as users see it, area by area, against the real stack. Those below an `every_host` run on each further host too
//! (`tests/hosts`).

mod artifacts;
mod containment;
mod core;
mod engine;
mod gates;
mod guard;
mod plan;
