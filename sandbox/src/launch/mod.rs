//! What happens inside the helper process, which runs as the user of the program: it takes away what the program may not have, in an
//! order in which each measure is still possible, and becomes the program. Starts no process: its parent does, as `command` says.

mod become_program;
mod bridge;
mod bubble;
mod command;
mod descriptors;
mod error;
mod files;
mod handover;
mod landlock;
mod limits;
mod namespaces;
mod privileges;
mod report;
mod run;
mod seccomp;
mod session;
mod shown;
mod spec;

pub(crate) use become_program::{Streams, become_program};
pub use command::helper;
pub use error::Error;
pub use handover::Handover;
pub use namespaces::Namespaces;
pub(crate) use privileges::refuse_privileges;
pub use report::Report;
pub use run::{REFUSED, main};
pub use spec::{Spec, Tcp};
