//! What users see, area by area, against the real stack. Topics below `every_host` are asked on each further host too (`tests/hosts`).

mod artifacts;
mod containment;
mod core;
mod engine;
mod gates;
mod guard;
mod plan;
