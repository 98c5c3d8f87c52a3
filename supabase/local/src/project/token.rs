//! Tokens of the project: signed with its secret or its key pair, and verified. The claims of a session or an API key are made in `auth`.

use axum::http::{HeaderMap, header};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use nofx_shared::crypto::jwt;
use serde_json::Value;

use super::Project;

impl Project {
    /// The claims of a token that the project signed, with its secret or with its key pair.
    pub(crate) fn verify(&self, token: &str) -> Result<Value, jsonwebtoken::errors::Error> {
        if jsonwebtoken::decode_header(token)?.alg == Algorithm::ES256 {
            return jwt::verify(token, &self.signing_key.verifier(), Algorithm::ES256);
        }
        verify_secret(&self.jwt_secret, token)
    }

    /// The claims of the caller.
    pub(crate) fn claims(&self, headers: &HeaderMap) -> Option<Value> {
        self.verify(bearer(headers)?).ok()
    }
}

/// Signs a token as Supabase does: HS256 with the project's secret.
pub(crate) fn sign(secret: &str, claims: &Value) -> String {
    jwt::sign(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(secret.as_bytes()))
        .expect("claims made of JSON values always serialise")
}

/// The claims of a token that was signed with the secret: keys, and URLs of Storage.
pub(crate) fn verify_secret(secret: &str, token: &str) -> Result<Value, jsonwebtoken::errors::Error> {
    jwt::verify(token, &DecodingKey::from_secret(secret.as_bytes()), Algorithm::HS256)
}

/// The token of a request, whoever signed it.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}
