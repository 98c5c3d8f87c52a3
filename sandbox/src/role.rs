//! Which of a worker's processes this is. All of them are the same program; how it was started, which nobody else does, says it.

use std::ffi::OsStr;
use std::process::ExitCode;

use crate::{keeper, launch};

/// This program, also where its path cannot be reached any more.
pub(crate) const PROGRAM: &str = "/proc/self/exe";
/// The name that a keeper is started by.
pub(crate) const KEEPER: &str = "nofx-keeper";
/// The first argument of a helper process; the numbers of two descriptors follow.
pub(crate) const LAUNCH: &str = "launch";

/// Does the work of a keeper or of a helper process, if this process is one. To be called first of all, before any thread is started.
pub fn take_role() -> Option<ExitCode> {
    let arguments: Vec<_> = std::env::args_os().collect();
    if arguments.first().is_some_and(|name| name == OsStr::new(KEEPER)) {
        return Some(match keeper::keep() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("nofx keeper: {error}");
                ExitCode::FAILURE
            }
        });
    }
    let number = |n: usize| arguments.get(n)?.to_str()?.parse().ok();
    match (arguments.get(1), number(2), number(3)) {
        (Some(word), Some(spec), Some(report)) if word == OsStr::new(LAUNCH) => {
            Some(ExitCode::from(u8::try_from(launch::main(spec, report)).unwrap_or(1)))
        }
        _ => None,
    }
}
