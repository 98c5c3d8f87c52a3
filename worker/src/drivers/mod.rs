//! Runs the processes of steps, and makes their temporary folders: the only place of the worker that starts processes. And has other machines
//! execute steps: `vercel_function`.

mod confined;
mod confinement;
mod live_output;
mod offered;
mod output;
mod own;
mod processes;
mod scratch;
mod shell;
mod vercel_function;

pub(crate) use confinement::Confinement;
pub(crate) use live_output::{LiveOutput, Untaken};
pub(crate) use offered::offered;
pub(crate) use output::ProcessResult;
pub(crate) use processes::{Command, Processes};
pub(crate) use scratch::Scratch;
pub use shell::printable;
pub(crate) use shell::{last_lines, script_argv, tail};
pub(crate) use vercel_function::{Answer, Executed, VercelFunction, Work};

/// Most bytes of `NOFX_OUTPUT`: what a step's outputs may have.
const WRITTEN_BYTES: u64 = 256 << 10;
