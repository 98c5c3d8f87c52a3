//! Reads fields of a webhook's body, whose shape depends on the sender.

use crate::crypto::sha256;

/// The id of a webhook whose sender gives it none.
pub(super) fn digest(parts: &[&[u8]]) -> String {
    sha256(&parts.concat())
}

/// A field of the body.
pub(super) fn field(body: &[u8], name: &str) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    body[name].as_str().map(str::to_owned)
}
