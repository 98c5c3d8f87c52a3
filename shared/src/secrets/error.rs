//! Why secrets could not be read, and the rule that a step gets all of its secrets or none.

use std::collections::BTreeMap;

/// Why a secret could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the secret {name} was not found: {hint}")]
    Missing { name: String, hint: String },
    /// The store does not answer now; the same call may go through later.
    #[error("the secret store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Whether another attempt cannot succeed.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }
}

/// All names with their values, or an error for the first that has none.
pub(super) fn require_all(
    names: &[String],
    value: impl Fn(&str) -> Option<String>,
    hint: impl Fn(&str) -> String,
) -> Result<BTreeMap<String, String>, Error> {
    let one = |name: &String| {
        let missing = || Error::Missing { name: name.clone(), hint: hint(name) };
        value(name).map(|value| (name.clone(), value)).ok_or_else(missing)
    };
    names.iter().map(one).collect()
}
