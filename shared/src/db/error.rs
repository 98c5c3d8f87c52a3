//! Errors of calls of the database, distinguished by SQLSTATE, never by the text.

use serde::Deserialize;

use crate::crypto::UnsealError;
use crate::problem::{Kind, Problem};

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database refused the call; the client may see why.
    #[error("{0}")]
    Refused(Problem),
    /// The database does not respond now; the same call may succeed later.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// The call took longer than one may, and is undone: it may be too large.
    #[error("the database stopped the call, which took too long: {0}")]
    TooSlow(String),
    /// The database failed because of a bug in NOFX.
    #[error("the database failed with {code}: {message}")]
    Failed { code: String, message: String },
    /// What the database has sealed cannot be opened here.
    #[error("what is sealed in the database could not be opened: {0}")]
    Sealed(#[from] UnsealError),
    #[error("{what} has an unexpected shape")]
    Shape {
        what: &'static str,
        #[source]
        source: serde_json::Error,
    },
}

impl Error {
    /// Whether another attempt cannot succeed: our refusals, invalid data, violated constraints, sizes. Anything else (a schema cache that
    /// is being read, a plan that changed) is temporary.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Refused(_) => true,
            Self::Failed { code, .. } => ["22", "23", "54", "P0"].iter().any(|class| code.starts_with(class)),
            Self::Unavailable(_) | Self::TooSlow(_) | Self::Sealed(_) | Self::Shape { .. } => false,
        }
    }

    /// As the client sees it.
    pub fn problem(&self) -> Problem {
        match self {
            Self::Refused(problem) => problem.clone(),
            Self::Unavailable(_) | Self::TooSlow(_) => {
                Problem::new(Kind::Unavailable, "The database is unavailable. Try again in a moment.")
            }
            Self::Failed { .. } | Self::Sealed(_) | Self::Shape { .. } => {
                Problem::new(Kind::Internal, "An internal error occurred. Quote the request id when you report it.")
            }
        }
    }
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        // All of it, for the log: the first line only says that it did not work.
        let error = error.without_url();
        let chain = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        Self::Unavailable(chain.map(ToString::to_string).collect::<Vec<_>>().join(": "))
    }
}

#[derive(Deserialize, Default)]
struct Body {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    details: Option<String>,
    #[serde(default)]
    hint: Option<String>,
}

/// Reads PostgREST's error body.
pub(super) fn refused(status: u16, bytes: &[u8]) -> Error {
    let body: Body = serde_json::from_slice(bytes).unwrap_or_default();
    let code = body.code.unwrap_or_else(|| status.to_string());
    let message = body.message.unwrap_or_default();
    match code.as_str() {
        // Our own refusals: the slug is the message, the subject the detail, the way out the hint.
        code if code.starts_with("PT") => match Kind::from_slug(&message) {
            Some(kind) => {
                let (subject, hint) = (body.details.unwrap_or_default(), body.hint.unwrap_or_default());
                // The hint of a quota starts with the seconds until it frees.
                let (wait, hint) = match hint.split_once("; ") {
                    Some((wait, rest)) if kind == Kind::QuotaExceeded => (wait.parse().ok(), rest.to_owned()),
                    _ => (None, hint),
                };
                let detail = match (kind, kind.title().strip_suffix(" not found")) {
                    // `Run not found` of a subject becomes `Run <subject> was not found.`
                    (_, Some(resource)) => format!("{resource} {subject} was not found. {hint}"),
                    // Its subject is a right, and the hint says which.
                    (Kind::Forbidden, None) => hint,
                    _ => format!("{subject}: {hint}"),
                };
                Error::Refused(Problem { retry_after_s: wait, ..Problem::new(kind, detail) })
            }
            None => Error::Failed { code: code.to_owned(), message },
        },
        "PGRST301" | "PGRST302" => Error::Refused(Problem::new(Kind::Unauthorized, message)),
        "42501" => Error::Refused(Problem::new(Kind::Forbidden, "Your role does not allow this.")),
        // Text that is no uuid, timestamp or number, holds a NUL or half a character, or a number out of range.
        "22P02" | "22P05" | "22007" | "22008" | "22003" | "22021" => Error::Refused(Problem::new(Kind::InvalidRequest, message)),
        "57014" => Error::TooSlow(format!("{code} {message}")),
        // No connection, shutting down, too many connections, deadlock, connection lost during a query.
        "PGRST000" | "PGRST001" | "PGRST002" | "PGRST003" | "57P01" | "57P02" | "57P03" | "53300" | "40P01" | "55P03" => {
            Error::Unavailable(format!("{code} {message}"))
        }
        // PostgREST has no code for a connection that broke while it read the response.
        "" => Error::Unavailable(format!("{status}, the connection broke")),
        code if code.starts_with("08") => Error::Unavailable(format!("{code} {message}")),
        _ if status == 502 || status == 503 || status == 504 => Error::Unavailable(format!("{status} {message}")),
        _ => Error::Failed { code, message },
    }
}
