//! Why a bill may be incomplete.

use std::fmt;

/// What a bill does not have, or not as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// A file or folder of the workspace, by its path, or a component, by its reference.
    subject: String,
    reason: String,
}

/// Longest subject and longest reason, in characters: a path may be of any length, and a parser may repeat the file in its message.
const LENGTH: usize = 300;

impl Fault {
    pub(super) fn new(subject: &str, reason: impl AsRef<str>) -> Self {
        // Messages of parsers draw the place below the first line.
        let lines = reason.as_ref().lines().map(str::trim).filter(|line| !line.is_empty());
        let reason = lines.collect::<Vec<_>>().join(" ").chars().take(LENGTH).collect();
        Self { subject: subject.chars().take(LENGTH).collect(), reason }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.reason)
    }
}
