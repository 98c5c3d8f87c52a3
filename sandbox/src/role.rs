//! Which of a worker's processes this is. All of them are the same program; how it was started, which nobody else does, says it.

use std::ffi::OsStr;
use std::process::ExitCode;

use crate::{keeper, launch};

/// This program, also where its path cannot be reached any more.
pub(crate) const PROGRAM: &str = "/proc/self/exe";
/// The name that a keeper is started by.
pub(crate) const KEEPER: &str = "nofx-keeper";
/// Does the work of a keeper or of a helper process, if this process is one. To be called first of all, before any thread is started.
pub fn take_role() -> Option<ExitCode> {
    if std::env::args_os().next().is_some_and(|name| name == OsStr::new(KEEPER)) {
        return Some(match keeper::keep() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("nofx keeper: {error}");
                ExitCode::FAILURE
            }
        });
    }
    launch::main(std::env::args_os().skip(1)).map(|code| ExitCode::from(u8::try_from(code).unwrap_or(1)))
}
