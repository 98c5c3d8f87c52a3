//! Exit codes, as the contract has them.

use std::process::ExitCode;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Succeeded,
    Failed,
    Refused,
    Cancelled,
}

impl Exit {
    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Succeeded => 0,
            Self::Failed => 1,
            Self::Refused => 2,
            Self::Cancelled => 3,
        })
    }
}

/// What went wrong, with what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Error(pub String);

impl Error {
    pub(crate) fn new(message: impl std::fmt::Display) -> Self {
        Self(message.to_string())
    }
}

pub(crate) type Outcome = Result<Exit, Error>;
