//! The worker: hears that there is work, claims it, executes it, settles what came of it.

mod admin;
mod consume;
mod listener;
mod drivers;
mod fleet;
mod gates;
mod handlers;
mod jobs;
mod metrics;
mod models;
mod protect;
mod sbom;
mod usage;
mod worker;
mod workspace;

pub use admin::is_healthy;
pub use worker::run;
