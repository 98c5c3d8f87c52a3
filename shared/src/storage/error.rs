//! Why a call of Storage failed. Its HTTP status is 400 for every client error, so the code in the body decides.

/// Why a call of Storage failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("storage refused {path}: {code}")]
    Refused { path: String, code: String },
    #[error("could not read the content of {path}")]
    Unreadable {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("storage is unavailable")]
    Unavailable(#[source] reqwest::Error),
}

impl Error {
    /// Whether another attempt with the same content cannot succeed.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Unavailable(_) => false,
            Self::Unreadable { .. } => true,
            Self::Refused { code, .. } => {
                !matches!(code.as_str(), "InternalError" | "DatabaseTimeout" | "DatabaseError") && !code.starts_with('5')
            }
        }
    }
}
