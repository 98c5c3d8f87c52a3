//! Confinement: a worker's supervisor, the processes that it starts for steps, and how each confines itself before it becomes a program that
//! is not ours. Knows no plan, no database and no network.

mod as_user;
mod client;
mod environment;
mod files;
mod keeper;
pub mod launch;
pub mod probe;
mod program;
mod role;
mod sandbox;
mod supervisor;
mod tools;
mod tree;
mod view;
mod wire;

pub use client::{Bridge, Files, Program, Running};
pub use environment::conceal;
pub use files::Kind;
pub use role::take_role;
pub use sandbox::Sandbox;
pub use supervisor::{Entered, enter};
pub use tree::{Listed, Part, PartKind, TreeOp, memory_file, read_header, write_header};
pub use wire::Ended;
