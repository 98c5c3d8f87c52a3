//! What happens inside the helper process, which runs as the user of the program: it takes away what the program may not have, in an
//! order in which each measure is still possible, and becomes the program. Starts no process: its parent does, for L3 with the arguments of
//! `bubble`.

mod bubble;
mod descriptors;
mod error;
mod files;
mod landlock;
mod limits;
mod namespaces;
mod privileges;
mod report;
mod run;
mod seccomp;
mod session;
mod spec;

pub use bubble::bubble_args;
pub use error::Error;
pub use namespaces::Namespaces;
pub use report::Report;
pub use run::{REFUSED, main, run};
pub use spec::{Spec, Tcp};
