//! The environment of this process, out of the reach of others: `/proc/<pid>/environ` shows what a process was started with. So the program
//! hands it over to itself, in a file in memory, and starts anew with what is no secret.
#![expect(clippy::disallowed_methods, reason = "replaces this process")]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Error, Read, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nofx_shared::settings;
use rustix::fs::MemfdFlags;

use crate::program::PROGRAM;

/// The name that a person's command is started anew by.
const CONCEALED: &str = "nofx-concealed";

/// Takes the environment of a person's command out of the reach of what it runs. To be called before any thread is started: it replaces this
/// process, once, by the same program without it. There, settings are read from what was handed over, and no process but root's reads its
/// memory.
pub fn conceal() -> Result<(), String> {
    let is_concealed = std::env::args_os().next().is_some_and(|name| name == OsStr::new(CONCEALED));
    let done = if is_concealed { take_over() } else { Err(replace(CONCEALED)) };
    done.map_err(|error| format!("could not keep the environment from what it runs: {error}"))
}

fn take_over() -> Result<(), Error> {
    settings::hand_over(read_variables(&mut stdin()?)?);
    close_stdin()?;
    Ok(hide()?)
}

/// Replaces this process by the same program with another name and without the environment, which is a file at its standard input. Returns
/// only with an error.
pub(crate) fn replace(name: &str) -> Error {
    let variables: BTreeMap<String, String> =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect();
    let handed_over = || -> Result<File, Error> {
        let mut file = File::from(rustix::fs::memfd_create("settings", MemfdFlags::CLOEXEC)?);
        file.write_all(&serde_json::to_vec(&variables)?)?;
        file.rewind()?;
        Ok(file)
    };
    match handed_over() {
        Ok(file) => same_program(name, &variables).stdin(file).exec(),
        Err(error) => error,
    }
}

/// This program with the same arguments and the variables that are no secrets.
pub(crate) fn same_program(name: &str, variables: &BTreeMap<String, String>) -> Command {
    let mut command = Command::new(PROGRAM);
    let public = variables.iter().filter(|(name, _)| settings::is_public(name));
    command.arg0(name).args(std::env::args_os().skip(1).collect::<Vec<OsString>>()).env_clear().envs(public);
    command
}

/// The file that was handed over at standard input.
pub(crate) fn stdin() -> Result<File, Error> {
    Ok(File::from(std::io::stdin().as_fd().try_clone_to_owned()?))
}

pub(crate) fn close_stdin() -> Result<(), Error> {
    Ok(rustix::stdio::dup2_stdin(&File::open("/dev/null")?)?)
}

pub(crate) fn read_variables(file: &mut File) -> Result<BTreeMap<String, String>, Error> {
    let mut bytes = vec![];
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(serde_json::from_slice(&bytes)?)
}

/// No other process of the same user may read this one's memory, and none is written to disk.
pub(crate) fn hide() -> Result<(), nix::Error> {
    nix::sys::prctl::set_dumpable(false)?;
    nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_CORE, 0, 0)
}

#[cfg(test)]
mod tests {
    use super::hide;

    #[test]
    fn a_process_that_hides_is_read_by_no_other_one_of_its_user() {
        hide().expect("hidden");
        assert_eq!(nix::sys::prctl::get_dumpable(), Ok(false));
        assert_eq!(nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_CORE), Ok((0, 0)));
    }
}
