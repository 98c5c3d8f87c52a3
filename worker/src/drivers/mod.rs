//! Runs the processes of steps. The only place that starts processes.

mod processes;
mod shell;

pub(crate) use processes::{Command, LiveOutput, ProcessResult, Processes};
pub(crate) use shell::{last_lines, printable, script_argv, tail};
