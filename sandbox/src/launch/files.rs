//! Paths that every program may use, whatever its rules say.

/// Read and executed: programs, their libraries and settings, of the system. What a host lacks is left out.
pub(super) const SYSTEM: [&str; 9] = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt"];

/// A link into `/run` on many hosts: its target.
pub(super) const RESOLVER: &str = "/etc/resolv.conf";

/// Read: names of other users' processes are among it, but not their memory, environment or files.
pub(super) const PROC: &str = "/proc";

/// Read and written. No terminals.
pub(super) const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// Memory that processes share: at L3 a folder of the program's own, of a size that `bubble` sets. At L2 it would be that of all users, and what
/// lies in it is memory that no limit counts.
pub(super) const SHARED_MEMORY: &str = "/dev/shm";
