//! The icon of a tab, and the sign in its title: what a run or a list does, seen from another tab.

/// The icon of the tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ui) enum Icon {
    Idle,
    Running,
    Waiting,
    Succeeded,
    Failed,
}

impl Icon {
    pub(in crate::ui) fn path(self) -> &'static str {
        match self {
            Self::Idle => "/icons/idle.svg",
            Self::Running => "/icons/running.svg",
            Self::Waiting => "/icons/waiting.svg",
            Self::Succeeded => "/icons/succeeded.svg",
            Self::Failed => "/icons/failed.svg",
        }
    }

    /// The title of a tab with it.
    pub(in crate::ui) fn title(self, title: &str) -> String {
        format!("{}{title} · NOFX", self.sign())
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Idle => "",
            Self::Running => "● ",
            Self::Waiting => "◆ ",
            Self::Succeeded => "✓ ",
            Self::Failed => "✕ ",
        }
    }
}
