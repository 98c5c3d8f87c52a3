//! Limits of the kernel for each process and for the user. They hold for all that the program starts: nobody without privileges raises a
//! hard limit.

use nix::errno::Errno;
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};
use nofx_shared::drivers::Limits;

use super::error::Error;

/// How long a program may go on after SIGXCPU said that its time is up, before it is killed.
const GRACE_S: u64 = 2;
const MIB: u64 = 1 << 20;

/// Sets the limits; returns those that hold, which are lower where the parent's are.
pub(super) fn apply(limits: &Limits) -> Result<Limits, Error> {
    // A core file has all that the process had in memory.
    set("turn core files off", Resource::RLIMIT_CORE, Some(0), 0)?;
    set("limit the processor time", Resource::RLIMIT_CPU, limits.cpu_s, GRACE_S)?;
    // Not the address space: Java, Go, Node and WebAssembly reserve much more of it than they use.
    set("limit the memory", Resource::RLIMIT_DATA, limits.memory_mb.map(|mb| mb.saturating_mul(MIB)), 0)?;
    set("limit the size of files", Resource::RLIMIT_FSIZE, limits.file_mb.map(|mb| mb.saturating_mul(MIB)), 0)?;
    set("limit the open files", Resource::RLIMIT_NOFILE, limits.open_files, 0)?;
    set("limit the processes", Resource::RLIMIT_NPROC, limits.processes, 0)?;
    Ok(Limits {
        cpu_s: get(Resource::RLIMIT_CPU)?,
        memory_mb: get(Resource::RLIMIT_DATA)?.map(|bytes| bytes / MIB),
        file_mb: get(Resource::RLIMIT_FSIZE)?.map(|bytes| bytes / MIB),
        processes: get(Resource::RLIMIT_NPROC)?,
        open_files: get(Resource::RLIMIT_NOFILE)?,
        // Those of the keeper, which adds them.
        ..Limits::default()
    })
}

fn get(resource: Resource) -> Result<Option<u64>, Error> {
    let (limit, _) = getrlimit(resource).map_err(|errno| Error::System("read the limits", errno.into()))?;
    Ok(Some(limit).filter(|limit| *limit != RLIM_INFINITY))
}

/// Sets the soft limit, and the hard one above it. A lower hard limit that was there stays, as the soft one does.
fn set(what: &'static str, resource: Resource, value: Option<u64>, above: u64) -> Result<(), Error> {
    let Some(value) = value else { return Ok(()) };
    let error = |errno: Errno| Error::System(what, errno.into());
    let (_, most) = getrlimit(resource).map_err(error)?;
    setrlimit(resource, value.min(most), value.saturating_add(above).min(most)).map_err(error)
}
