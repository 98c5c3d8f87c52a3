//! Runs on each further host too.

mod dashboard;
mod requests;
