use jsonwebtoken::errors::Error;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};

use super::provider;

/// The public half of an ES256 key as a JSON Web Key (RFC 7517), without a name.
pub fn public_key(key: &EncodingKey) -> Result<Jwk, Error> {
    provider::install();
    #[expect(clippy::disallowed_methods, reason = "the provider is installed")]
    Jwk::from_encoding_key(key, Algorithm::ES256)
}
