//! From L2 on: which files, TCP ports, signals and abstract sockets the program reaches. In a network of the program's own every port is the
//! program's own, too, and none is refused.
//!
//! What is beyond it at all current versions: `stat`, `chmod` and times of files that the user owns, UDP (seccomp refuses it), and sockets
//! in the file system before version 9.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, NetPort, PathBeneath, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetStatus, Scope,
};
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags};

use nofx_shared::drivers::Level;

use super::error::Error;
use super::shown::Parts;
use super::{Spec, files};

/// The oldest version with all that L2 means. Less is refused, more is used.
const MIN_ABI: ABI = ABI::V6;
/// The newest that the crate knows; what the kernel has of it beyond `MIN_ABI` is used.
const MAX_ABI: ABI = ABI::V10;

/// Restricts this thread for ever; returns the version whose every restriction holds.
pub(super) fn restrict(spec: &Spec, has_own_network: bool) -> Result<u32, Error> {
    let mut rules = handled(has_own_network)?;
    for path in files::SYSTEM.into_iter().chain([files::RESOLVER]) {
        rules = if spec.hidden.is_empty() {
            allow_if_there(rules, path, AccessFs::from_read(MAX_ABI))?
        } else {
            allow_parts(rules, path.as_ref(), &spec.hidden)?
        };
    }
    rules = allow_if_there(rules, files::PROC, AccessFs::ReadFile | AccessFs::ReadDir)?;
    for path in files::DEVICES {
        rules = allow_if_there(rules, path, AccessFs::ReadFile | AccessFs::WriteFile)?;
    }
    if spec.level >= Level::L3 {
        rules = allow_if_there(rules, files::SHARED_MEMORY, AccessFs::from_all(MAX_ABI))?;
    }
    for path in &spec.read_only {
        let opened = open(path).map_err(io::Error::from);
        rules = if spec.hidden.iter().any(|hidden| hidden.starts_with(path)) {
            allow_parts(rules, path, &spec.hidden)?
        } else {
            allow_opened(rules, path, opened, AccessFs::from_read(MAX_ABI))?
        };
    }
    for path in &spec.read_write {
        let opened = open(path);
        // A scratch folder of another process of the run may be gone by now: it needs no rule.
        if opened.as_ref().err() == Some(&rustix::io::Errno::NOENT) && *path != spec.scratch {
            continue;
        }
        rules = allow_opened(rules, path, opened.map_err(io::Error::from), AccessFs::from_all(MAX_ABI))?;
    }
    let ports = if has_own_network { &[] } else { spec.tcp.ports() };
    for port in ports {
        rules = rules.add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?;
    }
    if !ports.is_empty() {
        // A port that the kernel chooses. With another one a program could stand in for a service that is being restarted.
        rules = rules.add_rule(NetPort::new(0, AccessNet::BindTcp))?;
    }
    let status = rules.restrict_self()?;
    // Below `MIN_ABI` an error came before this; above it a kernel that is older than the crate enforces all that it has.
    let LandlockStatus::Available { effective_abi, .. } = status.landlock else { return Err(Error::PartialLandlock) };
    if status.ruleset == RulesetStatus::NotEnforced || effective_abi < MIN_ABI {
        return Err(Error::PartialLandlock);
    }
    Ok(effective_abi as u32)
}

/// All that Landlock can refuse is refused, unless a rule allows it; but ports where the network is the program's own.
fn handled(has_own_network: bool) -> Result<RulesetCreated, Error> {
    let mut rules = Ruleset::default();
    for (abi, how) in [(MIN_ABI, CompatLevel::HardRequirement), (MAX_ABI, CompatLevel::BestEffort)] {
        rules = rules.set_compatibility(how).handle_access(AccessFs::from_all(abi))?.scope(Scope::from_all(abi))?;
        if !has_own_network {
            rules = rules.handle_access(AccessNet::from_all(abi))?;
        }
    }
    Ok(rules.create()?)
}

/// What of a folder is not hidden. What was there a moment ago may be gone.
fn allow_parts(mut rules: RulesetCreated, path: &Path, hidden: &[PathBuf]) -> Result<RulesetCreated, Error> {
    let parts = Parts::of(path, hidden);
    let trees = parts.trees.iter().map(|path| (path, AccessFs::from_read(MAX_ABI)));
    for (path, access) in trees.chain(parts.names.iter().map(|path| (path, AccessFs::ReadDir.into()))) {
        match open(path) {
            Err(rustix::io::Errno::NOENT) => {}
            opened => rules = allow_opened(rules, path, opened.map_err(io::Error::from), access)?,
        }
    }
    Ok(rules)
}

/// A path of the rules. No part of it may be a link: a program of the same run could have made it, to what it may not have.
fn open(path: &Path) -> rustix::io::Result<OwnedFd> {
    rustix::fs::openat2(rustix::fs::CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::NO_SYMLINKS)
}

/// A path of the system, of which many are links.
fn allow_if_there(rules: RulesetCreated, path: &str, access: impl Into<BitFlags<AccessFs>>) -> Result<RulesetCreated, Error> {
    let path = Path::new(path);
    match rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) {
        Err(rustix::io::Errno::NOENT) => Ok(rules),
        opened => allow_opened(rules, path, opened.map_err(io::Error::from), access.into()),
    }
}

fn allow_opened(
    rules: RulesetCreated,
    path: &Path,
    opened: io::Result<OwnedFd>,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, Error> {
    let error = |error| Error::Path(path.to_owned(), error);
    let opened = opened.map_err(error)?;
    let kind = rustix::fs::fstat(&opened).map_err(|errno| error(errno.into()))?.st_mode;
    // What concerns folders only is refused in the rule of a file.
    let access = if FileType::from_raw_mode(kind) == FileType::Directory { access } else { access & AccessFs::from_file(MAX_ABI) };
    Ok(rules.add_rule(PathBeneath::new(opened, access))?)
}
