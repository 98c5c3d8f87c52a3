//! Runs on each further host too.

mod credentials;
mod idempotency;
mod matrix;
mod outsiders;
