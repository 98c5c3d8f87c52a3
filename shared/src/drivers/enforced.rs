//! What held while a step ran, as its driver found it: evidence and provenance have it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Image, Level, Network, Toolchain};

/// What a driver truly enforced. Never what was asked for: a part that was not applied is null, false or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Enforced {
    /// Null: nothing was enforced (`NOFX_ISOLATION=none`), or no process ran (`vercel-function`).
    pub level: Option<Level>,
    /// The driver's name.
    pub driver: String,
    /// Release of the kernel (`uname -r`); null where the driver cannot know it.
    pub kernel: Option<String>,
    /// The user id of the processes, as the host counts it.
    pub uid: Option<u32>,
    /// Setuid programs gain nothing.
    pub no_new_privs: bool,
    /// Digest of the seccomp filters, `sha256:<hex>`: equal digests are equal filters.
    pub seccomp: Option<String>,
    /// Version of Landlock's interface whose every restriction holds; in a network of the processes' own without those of ports.
    pub landlock_abi: Option<u32>,
    /// Namespaces of the processes' own.
    pub namespaces: Vec<Namespace>,
    pub limits: Limits,
    /// Null: not restricted.
    pub network: Option<Network>,
    /// Names of the toolchains that the processes could read; null: not restricted.
    pub toolchains: Option<Vec<Toolchain>>,
    /// What the machine of the step's own was made from; null: the driver's own, or no such machine.
    pub image: Option<Image>,
    /// What the kernel did for the control group (version 2) of the processes; empty: they were in none.
    pub cgroup: Vec<Controlled>,
    /// Of a machine of the step's own: the level of the worker's programs that brought the workspace there and back (`git`, `tar`), where its
    /// host lacks the operator's minimum; null: they had that.
    pub workspace_level: Option<Level>,
}

/// What a control group does for all processes that are or were in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Controlled {
    /// Ends all of them at once.
    Kill,
    /// Counts their processor time, also of those that nobody waited for.
    Cpu,
    /// Keeps their memory below `total_memory_mb`.
    Memory,
    /// Keeps their number below `processes`.
    Pids,
    /// Counts what they read from disks and write to them.
    Io,
}

/// A kind of Linux namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Namespace {
    Cgroup,
    Ipc,
    Mount,
    Network,
    Pid,
    User,
    Uts,
}

/// The limits that were set; null: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    /// Seconds of processor time of each process.
    pub cpu_s: Option<u64>,
    /// Seconds of processor time of a process and all of its descendants together. Looked at several times a second.
    #[serde(default)]
    pub total_cpu_s: Option<u64>,
    /// Private writable memory of each process, in MiB.
    pub memory_mb: Option<u64>,
    /// Memory of a process and all of its descendants together, in MiB: also what they share, page tables, what was swapped out. Looked
    /// at several times a second.
    #[serde(default)]
    pub total_memory_mb: Option<u64>,
    /// Size of each file, in MiB.
    pub file_mb: Option<u64>,
    /// What the workspace and the temporary folders hold together, in MiB. Looked at every second, or less often where there is much.
    #[serde(default)]
    pub total_disk_mb: Option<u64>,
    /// The same, as a number of files and folders.
    #[serde(default)]
    pub total_files: Option<u64>,
    /// Processes and threads of the user at once.
    pub processes: Option<u64>,
    /// Open descriptors of each process.
    pub open_files: Option<u64>,
}
