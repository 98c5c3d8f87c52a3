//! Runs on each further host too.

mod dashboard;
mod public_files;
mod requests;
