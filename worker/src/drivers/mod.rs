//! Runs the processes of steps, and makes their temporary folders. The only place that starts processes.

mod live_output;
mod processes;
mod scratch;
mod shell;

pub(crate) use live_output::{LiveOutput, Untaken};
pub(crate) use processes::{Command, ProcessResult, Processes};
pub(crate) use scratch::Scratch;
pub use shell::printable;
pub(crate) use shell::{last_lines, script_argv, tail};
