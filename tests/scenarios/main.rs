//! The product as users see it, area by area, against the real stack. Those below an `every_host` run on each further host too
//! (`tests/hosts`).

mod artifacts;
mod audit;
mod containment;
mod core;
mod db_write;
mod drivers;
mod engine;
mod gates;
mod guard;
mod hooks;
mod plan;
mod retention;
