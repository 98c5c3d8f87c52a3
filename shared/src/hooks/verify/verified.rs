//! The result of verifying a webhook: it is the sender's, or it is refused.

/// A webhook whose signature is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Its id: another webhook with the same id is a duplicate.
    pub id: String,
    /// The sender's name for the event.
    pub kind: Option<String>,
    /// Index of the secret that it is signed with.
    pub key: usize,
}

/// Why a webhook is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the header {0} is missing or invalid")]
    Missing(&'static str),
    #[error("the timestamp is more than five minutes off")]
    Stale,
    #[error("the signature does not match a secret of this source")]
    Signature,
}
