//! Why a bill may be incomplete.

use std::fmt;

/// A file or folder of the workspace that could not be read, or not as a whole: nothing of it is in the bill.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fault {
    /// Path below the workspace.
    pub path: String,
    pub reason: String,
}

impl Fault {
    /// Longest reason, in characters: a parser may repeat the file in its message.
    const REASON: usize = 300;

    pub(super) fn new(path: impl Into<String>, reason: impl AsRef<str>) -> Self {
        // Messages of parsers draw the place below the first line.
        let lines = reason.as_ref().lines().map(str::trim).filter(|line| !line.is_empty());
        let reason = lines.collect::<Vec<_>>().join(" ").chars().take(Self::REASON).collect();
        Self { path: path.into(), reason }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)
    }
}
