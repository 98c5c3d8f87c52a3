//! Runs the processes of steps, here or on machines of their own, and makes their temporary folders. The only place of the worker that
//! starts processes.

use nofx_shared::drivers::{Driver, Placement};

mod confined;
mod confinement;
mod e2b;
mod live_output;
mod machine;
mod modal;
mod output;
mod own;
mod processes;
mod scratch;
mod shell;
mod task;

pub(crate) use confinement::Confinement;
pub(crate) use live_output::{LiveOutput, Untaken};
pub(crate) use machine::{Account, Accounts, Fault, Listed, Machine, OwnMachine, Place, Spec, Tags};
pub(crate) use output::ProcessResult;
pub(crate) use processes::{Command, Processes};
pub(crate) use scratch::Scratch;
pub use shell::{is_printable, printable};
pub(crate) use shell::{last_lines, script_argv, tail};
pub use task::serve as serve_task;

/// The drivers that this worker has, each with the placements that it can give to a step. Those that make machines need an account, which
/// `Accounts` finds when the first program of a step starts.
pub(crate) const OFFERED: [(Driver, &[Placement]); 3] =
    [(Driver::WorkerContainer, &[Placement::Ecs]), (Driver::E2b, &[]), (Driver::Modal, &[])];

/// Most bytes of `NOFX_OUTPUT`: what a step's outputs may have.
const WRITTEN_BYTES: u64 = 256 << 10;
