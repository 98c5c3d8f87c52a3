//! The dashboard in a real browser.

mod approvals;
mod forms;
mod large;
mod pages;
mod run_page;
mod scriptless;
mod sign_in;
