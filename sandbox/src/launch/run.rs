//! The order of it all.
#![expect(clippy::disallowed_methods, reason = "becomes the program: this is where drivers' argument arrays go")]

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nofx_shared::drivers::{Enforced, Level, Namespace};

use super::error::Error;
use super::seccomp::Sockets;
use super::{Namespaces, Report, Spec, Tcp, bridge, descriptors, landlock, limits, namespaces, privileges, seccomp, session};

/// Whose processes these are.
pub(super) const DRIVER: &str = "worker-container";
/// The exit code when the program was not started; programs end with it, too, so the report says what happened.
pub const REFUSED: i32 = 126;

/// For the beginning of `main` of whoever has the verb `launch SPEC REPORT`: does it, if these are the arguments. Reads a `Spec` from one
/// inherited descriptor, reports into the other (both are a `Handover`'s), and becomes the program; returns only with an exit code, when it
/// did not. The process must have no other thread: it would not be confined.
pub fn main(arguments: impl Iterator<Item = OsString>) -> Option<i32> {
    let arguments: Vec<String> = arguments.take(4).map(|one| one.into_string().unwrap_or_default()).collect();
    let [verb, spec, report] = arguments.as_slice() else { return None };
    let (Ok(spec), Ok(report), "launch") = (spec.parse(), report.parse(), verb.as_str()) else { return None };
    let mut file = None;
    let error = read_and_run(spec, report, &mut file);
    let text = error.to_string();
    let reported = file.is_some_and(|mut file| descriptors::write_report(&mut file, &Report::Refused(text.clone())).is_ok());
    if !reported {
        // The parent has nothing else to know it by.
        eprintln!("{text}");
    }
    Some(REFUSED)
}

fn read_and_run(spec: i32, report: i32, file: &mut Option<File>) -> Error {
    match read(spec, report, file) {
        Ok((spec, file)) => run(&spec, file),
        Err(error) => error,
    }
}

fn read(spec: i32, report: i32, file: &mut Option<File>) -> Result<(Spec, &mut File), Error> {
    session::own_session()?;
    session::yield_to_others()?;
    session::protect_memory()?;
    let file = file.insert(descriptors::open_report(report)?);
    Ok((descriptors::read_spec(spec)?, file))
}

/// Confines this process for ever, reports and becomes the program; returns only with what went wrong.
pub(super) fn run(spec: &Spec, report: &mut File) -> Error {
    match confine(spec).and_then(|enforced| descriptors::write_report(report, &Report::Enforced(Box::new(enforced)))) {
        Ok(()) => exec(spec),
        Err(error) => error,
    }
}

fn confine(spec: &Spec) -> Result<Enforced, Error> {
    if spec.argv.is_empty() {
        return Err(Error::NoProgram);
    }
    if spec.level > Level::L3 {
        return Err(Error::OtherLevel(spec.level));
    }
    session::protect_memory()?;
    privileges::refuse_privileges()?;
    let inside = Namespaces::of_this_process().map_err(|error| Error::System("read the namespaces", error))?;
    let own = inside.other_than(&spec.outside);
    if spec.level >= Level::L3 {
        namespaces::require(&own, &spec.tcp)?;
    }
    session::die_with_parent()?;
    session::mask();
    descriptors::close_inherited()?;
    session::enter(&spec.dir)?;
    session::no_new_privs()?;
    let has_own_network = own.contains(&Namespace::Network);
    if let Tcp::Proxy(port) = spec.tcp {
        if has_own_network {
            bridge::send_listener(port)?;
        }
        bridge::close()?;
    }
    let landlock_abi = if spec.level >= Level::L2 { Some(landlock::restrict(spec, has_own_network)?) } else { None };
    // After what opens files, since it limits their number; before the filter, since that is the last.
    let limits = limits::apply(&spec.limits)?;
    let sockets = if spec.tcp == Tcp::None && !has_own_network { Sockets::Unix } else { Sockets::Tcp };
    let seccomp = seccomp::apply(sockets, own.contains(&Namespace::Ipc))?;
    Ok(Enforced {
        level: Some(spec.level),
        driver: DRIVER.to_owned(),
        kernel: Some(kernel()?),
        uid: Some(nix::unistd::getuid().as_raw()),
        no_new_privs: session::has_no_new_privs()?,
        seccomp: Some(seccomp),
        landlock_abi,
        namespaces: own,
        limits,
        network: spec.tcp.enforced(spec.level),
        // Which files can be read is a matter of Landlock.
        toolchains: spec.toolchains.clone().filter(|_| landlock_abi.is_some()),
        ..Enforced::default()
    })
}

fn kernel() -> Result<String, Error> {
    let name = nix::sys::utsname::uname().map_err(|errno| Error::System("read the kernel's release", errno.into()))?;
    Ok(name.release().display().to_string())
}

pub(super) fn exec(spec: &Spec) -> Error {
    let [program, arguments @ ..] = spec.argv.as_slice() else { return Error::NoProgram };
    let mut command = Command::new(program);
    command.args(arguments).env_clear();
    if spec.tcp != Tcp::None {
        // There is no UDP: the C library is to ask name servers by TCP.
        command.env("RES_OPTIONS", "use-vc");
    }
    Error::Exec(program.clone(), command.envs(&spec.env).exec())
}
