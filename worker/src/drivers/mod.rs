//! Runs the processes of steps, here or on machines of their own, and makes their temporary folders. The only place of the worker that
//! starts processes. And has a function execute steps: `vercel_function`.

mod confined;
mod confinement;
mod e2b;
mod executable;
mod home;
mod isolation;
mod live_output;
mod machine;
mod modal;
mod offered;
mod output;
mod own;
mod processes;
mod sandboxed;
mod scratch;
mod shell;
mod task;
mod trees;
mod vercel_function;

pub(crate) use confinement::{Confinement, DISK_MB};
pub(crate) use executable::Executable;
pub(crate) use home::{Home, LeftHome};
pub(crate) use isolation::Isolation;
pub(crate) use live_output::{LiveOutput, Untaken};
pub(crate) use machine::{Account, Accounts, Fault, Listed, Machine, OwnMachine, Place, Spec, Tags};
pub(crate) use offered::offered;
pub(crate) use output::ProcessResult;
use output::WRITTEN_BYTES;
pub(crate) use processes::{Command, Processes};
pub(crate) use sandboxed::Sandboxed;
pub(crate) use scratch::Scratch;
pub use shell::{is_printable, printable};
pub(crate) use shell::{last_lines, tail};
pub(crate) use task::serve as serve_task;
pub(crate) use vercel_function::{Answer, Executed, VercelFunction, Work};
