//! Runs the processes of steps, and makes their temporary folders. The only place that starts processes.

mod processes;
mod scratch;
mod shell;

pub(crate) use processes::{Command, LiveOutput, ProcessResult, Processes};
pub(crate) use scratch::Scratch;
pub(crate) use shell::{script_argv, tail};
