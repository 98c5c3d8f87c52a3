//! Runs the processes of steps. The only place that starts processes.

mod processes;

pub(crate) use processes::{Command, LiveOutput, ProcessResult, Processes};
