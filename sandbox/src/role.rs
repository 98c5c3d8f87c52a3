//! Which of a worker's processes this is. All of them are the same program; how it was started, which nobody else does, says it.

use std::ffi::OsStr;
use std::process::ExitCode;

use crate::program::{HELPER, KEEPER, REMOVER, SIGNALLER, TREE};
use crate::{keeper, launch, tree};

/// Does the work of a keeper, of a helper process or of what sends signals, if this process is one. To be called first of all, before any thread is started.
pub fn take_role() -> Option<ExitCode> {
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_default();
    let done = match () {
        () if name == OsStr::new(KEEPER) => keeper::keep(),
        () if name == OsStr::new(HELPER) => keeper::become_program(),
        () if name == OsStr::new(REMOVER) => keeper::remove_folder(),
        () if name == OsStr::new(TREE) => tree::do_job(),
        () if name == OsStr::new(SIGNALLER) => keeper::signal_own_user(arguments),
        () => return helper(),
    };
    Some(match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", name.display());
            ExitCode::FAILURE
        }
    })
}

fn helper() -> Option<ExitCode> {
    launch::main(std::env::args_os().skip(1)).map(|code| ExitCode::from(u8::try_from(code).unwrap_or(1)))
}
