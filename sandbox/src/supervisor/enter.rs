//! How a worker gets its supervisor: the process that was started becomes it, and starts the worker. Each step replaces the program, so that
//! the environment with the keys is in none of them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Error;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use nix::unistd::Pid;
use nofx_shared::drivers::Level;
use nofx_shared::settings;

use super::folders::Folders;
use super::groups::Groups;
use super::places::Places;
use super::serve::Supervisor;
use super::users::Users;
use super::{capabilities, memory, worker_folder};
use crate::client::Client;
use crate::environment::{close_stdin, hide, read_variables, replace, same_program, stdin};
use crate::launch::Namespaces;
use crate::probe::{Offer, probe};
use crate::program::PROGRAM;
use crate::sandbox::Sandbox;
use crate::tools::Tools;
use crate::view;
use crate::wire::Socket;

const SUPERVISOR: &str = "nofx-supervisor";
const WORKER: &str = "nofx-worker-confined";

/// What this process is now.
pub enum Entered {
    /// The worker: what runs its processes.
    Worker(Sandbox),
    /// The supervisor, whose worker has ended.
    Ended(ExitCode),
}

/// Makes a worker and its supervisor of this process. To be called before any thread is started. In the worker, settings are read from what
/// the supervisor hands over.
pub fn enter() -> Result<Entered, String> {
    let name = std::env::args_os().next().unwrap_or_default();
    match () {
        () if name == OsStr::new(WORKER) => worker().map(Entered::Worker),
        () if name == OsStr::new(SUPERVISOR) => supervisor().map(Entered::Ended),
        () => Err(format!("could not start the supervisor: {}", replace(SUPERVISOR))),
    }
}

fn supervisor() -> Result<ExitCode, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let mut file = stdin().map_err(|error| text(&error))?;
    let variables = read_variables(&mut file).map_err(|error| text(&error))?;
    settings::hand_over(variables.clone());
    let settings = settings::isolation().map_err(|error| text(&error))?;
    hide().map_err(|error| text(&error))?;
    // A user of steps is held by a descriptor.
    let files = nix::sys::resource::Resource::RLIMIT_NOFILE;
    let most = nix::sys::resource::getrlimit(files).map_err(|error| text(&error))?.1;
    nix::sys::resource::setrlimit(files, most, most).map_err(|error| text(&error))?;

    let has_users = capabilities::are_enough();
    let exe = std::fs::read_link(PROGRAM).map_err(|error| text(&error))?;
    let least = if has_users { Level::L1 } else { Level::L3 };
    let least = (!settings.is_none).then_some(least);
    if least == Some(Level::L3) {
        check_namespaces(&exe)?;
    }
    // Before the view: the worker sees this machine as it is.
    let (ours, theirs) = Socket::pair().map_err(|error| text(&error))?;
    if let Err(error) = worker_folder::prepare(&settings.dependency_cache, has_users.then_some(settings.worker_user)) {
        eprintln!("nofx supervisor: dependencies are not cached: {}: {error}", settings.dependency_cache.display());
    }
    let groups = Groups::open();
    let worker = start_worker(&variables, theirs).map_err(|error| text(&error))?;
    ours.send(&has_users.then_some(settings.worker_user), &[file.as_fd()]).map_err(|error| text(&error))?;
    let mut tools = Tools::of(&settings.toolchains);
    let users = has_users.then(|| Users::new(settings.step_users.clone())).transpose().map_err(|error| text(&error))?;
    let folders = Folders::new(&settings.workspaces, &settings.worker, users).map_err(|error| text(&error))?;
    if has_users {
        nix::unistd::setgroups(&[]).map_err(|error| text(&error))?;
        let read_only = tools.paths().into_iter().chain([exe.clone()]).map(|path| (path, false));
        let needed: Vec<(PathBuf, bool)> = read_only.chain([(settings.workspaces, true)]).collect();
        if let Err(error) = view::open_up(&needed) {
            tools.retain(|folder| view::closed(folder).is_none());
            eprintln!("nofx supervisor: steps cannot reach what is in closed folders, such as a home: {error}");
        }
        capabilities::reduce().map_err(|error| text(&error))?;
    }
    let outside = Namespaces::of_this_process().map_err(|error| text(&error))?;
    let places = Places { least, tools, memory_mb: memory::of_a_step(), ports: settings.step_ports, exe, outside };
    Supervisor::new(ours, worker, folders, places, groups).serve()
}

/// Without users of its own a worker keeps steps away from itself by namespaces.
fn check_namespaces(exe: &Path) -> Result<(), String> {
    let offer = probe(exe, &[]).levels.into_iter().find(|offer| offer.level == Level::L3);
    match offer {
        Some(Offer { enforced: Some(_), .. }) => Ok(()),
        offer => {
            let why = offer.and_then(|offer| offer.why_not).unwrap_or_default();
            Err(format!(
                "steps cannot be kept from this worker: the worker is not root, so steps cannot have users of their own, and they cannot have \
                 namespaces either ({why}). Start it as root, or install bubblewrap and allow user namespaces; `nofx sandbox probe` shows what \
                 works. NOFX_ISOLATION=none runs steps with all that this user can reach"
            ))
        }
    }
}

fn start_worker(variables: &BTreeMap<String, String>, socket: OwnedFd) -> Result<Pid, Error> {
    let mut command = same_program(WORKER, variables);
    command.stdin(socket).stdout(Stdio::inherit()).stderr(Stdio::inherit());
    Ok(Pid::from_raw(command.spawn()?.id().cast_signed()))
}

fn worker() -> Result<Sandbox, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let socket = Socket::from_stdin().map_err(|error| text(&error))?;
    close_stdin().map_err(|error| text(&error))?;
    let first = socket.receive::<Option<u32>>().map_err(|error| text(&error))?;
    let ended = "the supervisor ended before it handed over the settings";
    let (user, mut descriptors) = first.ok_or(ended)?;
    capabilities::drop_all(user).map_err(|error| format!("the worker could not drop its rights: {error}"))?;
    // A worker whose supervisor is gone could no longer end its processes. After its user has changed, which would end this.
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL).map_err(|error| text(&error))?;
    hide().map_err(|error| text(&error))?;
    let mut file = File::from(descriptors.pop().ok_or(ended)?);
    settings::hand_over(read_variables(&mut file).map_err(|error| text(&error))?);
    Client::start(socket).map(Sandbox::supervised).map_err(|error| text(&error))
}
