use jsonwebtoken::errors::Error;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::de::DeserializeOwned;

use super::provider;

/// The claims of a token that this key signed with this algorithm, whatever the token's header says, and that has not expired (`exp` is
/// required). The audience is not compared: Supabase has one.
pub fn verify<T: DeserializeOwned>(token: &str, key: &DecodingKey, algorithm: Algorithm) -> Result<T, Error> {
    provider::install();
    let mut rules = Validation::new(algorithm);
    rules.leeway = 0;
    rules.validate_aud = false;
    #[expect(clippy::disallowed_methods, reason = "the provider is installed")]
    Ok(jsonwebtoken::decode::<T>(token, key, &rules)?.claims)
}
