//! Runs the processes of steps, and makes their temporary folders. The only place that starts processes.

use nofx_shared::drivers::{Driver, Placement};

mod live_output;
mod processes;
mod scratch;
mod shell;

pub(crate) use live_output::{LiveOutput, Untaken};
pub(crate) use processes::{Command, ProcessResult, Processes};
pub(crate) use scratch::Scratch;
pub(crate) use shell::{last_lines, printable, script_argv, tail};

/// The drivers that this worker has, each with the placements that it can give to a step.
pub(crate) const OFFERED: [(Driver, &[Placement]); 1] = [(Driver::WorkerContainer, &[])];
