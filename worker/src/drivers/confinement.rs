use nofx_shared::drivers::{Level, Limits, Network};

/// How a process is confined.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Confinement {
    /// None: not at all.
    pub level: Option<Level>,
    pub limits: Limits,
    pub network: Network,
}

impl Confinement {
    /// Git in a workspace: what a step wrote there decides what git runs, so git is confined as the step is.
    pub(crate) fn of_git() -> Self {
        Self { level: Some(Level::L2), limits: Limits::default(), network: Network::All }
    }
}
