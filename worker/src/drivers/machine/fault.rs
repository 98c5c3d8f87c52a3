use std::time::Duration;

use nofx_shared::engine::Failure;

/// Why a call of a provider or of a machine failed, by what the caller may do then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// It has not happened, and may be tried again, after this time if any is named.
    #[error("{why}")]
    Busy { after: Option<Duration>, why: String },
    /// No answer, or none that says whether it has happened.
    #[error("{0}")]
    Unavailable(String),
    /// The machine, or what ran there, is gone.
    #[error("{0}")]
    Gone(String),
    /// It cannot succeed: a key, an image or a request that is refused.
    #[error("{0}")]
    Refused(String),
}

impl Fault {
    /// The failure of an attempt whose machine this happened to.
    pub(super) fn failure(self, what: &str) -> Failure {
        let message = format!("{what}: {self}");
        match self {
            Self::Refused(_) => Failure::permanent(message),
            Self::Busy { .. } | Self::Unavailable(_) | Self::Gone(_) => Failure::transient(message),
        }
    }
}
