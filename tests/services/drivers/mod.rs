//! Drivers: one suite for all of them, and what each has alone.

mod cases;
mod conformance;
mod e2b;
mod files;
mod killed;
mod left;
mod meeting;
mod modal;
mod others;
mod stack;
mod task;
mod without_landlock;
