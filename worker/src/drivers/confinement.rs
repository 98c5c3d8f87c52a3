use nofx_shared::drivers::{Level, Limits, Network, Toolchain};
use nofx_shared::engine::ClaimedStep;

/// How a process is confined.
#[derive(Clone, Debug)]
pub(crate) struct Confinement {
    /// None: not at all.
    pub level: Option<Level>,
    pub limits: Limits,
    pub network: Network,
    /// The toolchains that it sees; none: all.
    pub toolchains: Option<Vec<Toolchain>>,
}

impl Confinement {
    /// Of a process that has the rights of the person who started it.
    pub(crate) const NONE: Self = Self { level: None, limits: DEFAULT, network: Network::All, toolchains: None };

    /// Of a program that a worker runs in a workspace for itself, and that runs nothing of what is there: `du`.
    pub(super) fn of_worker(level: Option<Level>) -> Self {
        Self { level, limits: DEFAULT, network: Network::None, toolchains: None }
    }

    /// Of what moves files between a workspace and a machine. `file_mb`: the size of a file, in MiB.
    pub(super) fn of_mover(level: Option<Level>, file_mb: u64) -> Self {
        let limits = Limits { file_mb: Some(file_mb), total_disk_mb: Some(file_mb.saturating_mul(2)), ..DEFAULT };
        Self { limits, ..Self::of_worker(level) }
    }

    /// Of the processes of a step: what its plan, its tenant and the operator (`floor`) demand, and no less.
    pub(crate) fn of(step: &ClaimedStep, floor: Option<Level>) -> Self {
        let asked = step.resources();
        let limits = Limits {
            cpu_s: asked.cpu_s,
            memory_mb: asked.memory_mb,
            file_mb: asked.disk_mb.or(DEFAULT.file_mb),
            processes: asked.processes.or(DEFAULT.processes),
            total_disk_mb: asked.disk_mb.or(DEFAULT.total_disk_mb),
            ..DEFAULT
        };
        let network = asked.network.unwrap_or(Network::All);
        Self { level: step.min_isolation(floor), limits, network, toolchains: step.toolchains().map(<[_]>::to_vec) }
    }
}

/// What a workspace and the temporary folders of a step may hold when nothing says otherwise, in MiB.
pub(crate) const DISK_MB: u64 = 20_480;

/// Of a process that asks for nothing else: far more than builds need, and less than ends a machine. How much memory is too much for it, the
/// supervisor knows.
const DEFAULT: Limits = Limits {
    cpu_s: None,
    total_cpu_s: None,
    memory_mb: None,
    total_memory_mb: None,
    file_mb: Some(DISK_MB),
    total_disk_mb: Some(DISK_MB),
    total_files: Some(2_000_000),
    processes: Some(2048),
    open_files: Some(16_384),
};
