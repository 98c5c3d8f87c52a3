use jsonwebtoken::errors::Error;
use jsonwebtoken::{EncodingKey, Header};
use serde::Serialize;

use super::provider;

/// A token with these claims. Fails when the key is not one of the header's algorithm, or cannot be used.
pub fn sign(header: &Header, claims: &impl Serialize, key: &EncodingKey) -> Result<String, Error> {
    provider::install();
    #[expect(clippy::disallowed_methods, reason = "the provider is installed")]
    jsonwebtoken::encode(header, claims, key)
}
