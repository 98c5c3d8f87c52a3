use nofx_shared::drivers::{Level, Limits, Network};

/// How a process is confined.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Confinement {
    /// None: not at all.
    pub level: Option<Level>,
    pub limits: Limits,
    pub network: Network,
}

impl Confinement {
    /// Of a process that has the rights of the person who started it.
    pub(crate) const NONE: Self = Self { level: None, limits: NO_LIMITS, network: Network::All };
    /// Of git in a workspace: what a step wrote there decides what git runs, so git is confined as a step is.
    pub(crate) const OF_GIT: Self = Self { level: Some(Level::L2), limits: NO_LIMITS, network: Network::All };
    /// Of a step that asks for nothing else.
    pub(crate) const OF_STEP: Self = Self { level: Some(Level::L2), limits: NO_LIMITS, network: Network::All };
}

const NO_LIMITS: Limits = Limits { cpu_s: None, memory_mb: None, file_mb: None, processes: Some(4096), open_files: Some(65_536) };
