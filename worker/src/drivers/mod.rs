//! Runs the processes of steps, and makes their temporary folders. The only place of the worker that starts processes.

use nofx_shared::drivers::{Driver, Placement};

mod confined;
mod confinement;
mod home;
mod live_output;
mod output;
mod own;
mod processes;
mod scratch;
mod shell;

pub(crate) use confinement::Confinement;
pub(crate) use home::{Home, LeftHome};
pub(crate) use live_output::{LiveOutput, Untaken};
pub(crate) use output::ProcessResult;
pub(crate) use processes::{Command, Processes};
pub(crate) use scratch::Scratch;
pub use shell::printable;
pub(crate) use shell::{last_lines, script_argv, tail};

/// The drivers that this worker has, each with the placements that it can give to a step.
pub(crate) const OFFERED: [(Driver, &[Placement]); 1] = [(Driver::WorkerContainer, &[])];

/// Most bytes of `NOFX_OUTPUT`: what a step's outputs may have.
const WRITTEN_BYTES: u64 = 256 << 10;
