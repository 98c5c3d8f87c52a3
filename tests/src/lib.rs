//! The harness: one shared stack (started by scripts/test.sh), a tenant a test, people who act.
#![expect(clippy::disallowed_methods, reason = "tests find the stack by the environment and start the CLI")]

pub mod browser;
pub mod cyclonedx;
pub mod fakes;
pub mod faults;
pub mod function;
pub mod lambda;
pub mod own;
pub mod package_index;
pub mod people;
pub mod plans;
pub mod receiver;
pub mod registries;
pub mod repository;
pub mod sealing;
pub mod stack;
pub mod suite;
pub mod vercel;

/// How long a test waits for what must come, before it says that it does not. It measures nothing: a machine that has much
/// else to do, or a registry that is slow, takes a minute for what is done in a second elsewhere.
pub const WAIT_LIMIT: std::time::Duration = std::time::Duration::from_secs(300);

pub use people::{Person, Tenant};
