//! Which of a worker's processes this is. All of them are the same program; its first argument, which nobody else sets, says it.

use std::ffi::OsStr;
use std::process::ExitCode;

/// This program, also where its path cannot be reached any more.
pub(crate) const PROGRAM: &str = "/proc/self/exe";
pub(crate) const KEEPER: &str = "nofx-keeper";
pub(crate) const LAUNCH: &str = "nofx-launch";
/// As `env` and shells do: a program could not be run.
const NOT_RUN: u8 = 126;

/// Does the work of a keeper or of a launch, if this process is one. To be called first of all, before any thread is started.
pub fn take_role() -> Option<ExitCode> {
    let name = std::env::args_os().next()?;
    let result = match () {
        () if name == OsStr::new(KEEPER) => crate::keeper::keep().map(|()| ExitCode::SUCCESS),
        () if name == OsStr::new(LAUNCH) => return Some(launch()),
        () => return None,
    };
    Some(result.unwrap_or_else(|error| {
        eprintln!("nofx: {error}");
        ExitCode::from(NOT_RUN)
    }))
}

fn launch() -> ExitCode {
    let number = |n| std::env::args().nth(n).and_then(|text| text.parse().ok()).unwrap_or(-1);
    ExitCode::from(u8::try_from(crate::launch::main(number(1), number(2))).unwrap_or(NOT_RUN))
}
