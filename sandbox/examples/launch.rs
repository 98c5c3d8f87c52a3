//! A program that does the work of a helper and of a keeper, as `nofx` does: the tests confine with it.

use std::process::ExitCode;

fn main() -> ExitCode {
    nofx_sandbox::take_role().unwrap_or_else(|| ExitCode::from(2))
}
