//! Why a bill may be incomplete.

use std::fmt;

/// What a bill does not have, or not as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// A file or folder of the workspace, by its path, or a component, by its reference.
    subject: String,
    reason: String,
}

/// Longest subject and longest reason, in bytes: a path may be of any length, and a parser may repeat the file in its message.
const LENGTH: usize = 300;

impl Fault {
    pub(super) fn new(subject: &str, reason: impl AsRef<str>) -> Self {
        // Messages of parsers draw the place below the first line.
        let lines = reason.as_ref().lines().map(str::trim).filter(|line| !line.is_empty());
        Self { subject: shorten(subject), reason: shorten(&lines.collect::<Vec<_>>().join(" ")) }
    }
}

/// In JSON a control character is six times as long.
fn shorten(text: &str) -> String {
    text[..text.floor_char_boundary(LENGTH)].chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.reason)
    }
}
