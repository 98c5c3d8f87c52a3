//! Supabase's JWTs: signed with the project's secret (HS256) or with one of its key pairs (ES256, RS256), whose public halves the
//! project publishes.

use chrono::Utc;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::jwks::{self, PublishedKeys};
use super::{Caller, Role};
use crate::crypto::jwt;
use crate::db::RequestOrigin;

/// How long a token of the API is valid, in seconds: longer than a request.
const API_TOKEN_S: i64 = 120;

/// The claims of a token that are used.
#[derive(Serialize, Deserialize)]
pub struct Claims {
    sub: String,
    role: String,
    exp: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// Of tokens that Supabase Auth gave to a person who signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session_id: Option<Uuid>,
    app_metadata: AppMetadata,
}

#[derive(Serialize, Deserialize)]
struct AppMetadata {
    tenant_id: Uuid,
    nofx_role: Role,
}

/// Why a token does not identify a caller.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Token(#[from] jsonwebtoken::errors::Error),
    #[error("signed with the key {0}, which the project does not publish")]
    UnknownKey(String),
    /// The token may be valid; it cannot be verified now.
    #[error(transparent)]
    Unavailable(jwks::Unavailable),
}

/// Verifies tokens of one project.
pub struct Verifier {
    secret: DecodingKey,
    published: PublishedKeys,
}

impl Verifier {
    /// Fetches the published keys when the first token needs one.
    pub fn new(secret: &str, supabase_url: &str) -> Self {
        let published = PublishedKeys::new(format!("{supabase_url}/auth/v1/.well-known/jwks.json"));
        Self { secret: DecodingKey::from_secret(secret.as_bytes()), published }
    }

    /// Verifies a token: signature, expiry, and that it names a tenant and a role.
    pub async fn verify(&self, token: &str) -> Result<Caller, Error> {
        let header = jsonwebtoken::decode_header(token)?;
        let claims: Claims = match header.alg {
            Algorithm::HS256 => jwt::verify(token, &self.secret, Algorithm::HS256)?,
            // The algorithm is the key's as well as the token's: a public key never serves as a secret.
            algorithm @ (Algorithm::ES256 | Algorithm::RS256) => {
                let name = header.kid.unwrap_or_default();
                let found = self.published.find(&name, algorithm).await.map_err(Error::Unavailable)?;
                jwt::verify(token, &found.ok_or(Error::UnknownKey(name))?, algorithm)?
            }
            _ => return Err(jsonwebtoken::errors::Error::from(ErrorKind::InvalidAlgorithm).into()),
        };
        Ok(Caller {
            scopes: None,
            origin: RequestOrigin::default(),
            subject: claims.sub,
            tenant: claims.app_metadata.tenant_id,
            role: claims.app_metadata.nofx_role,
            email: claims.email,
            session: claims.session_id.map(|_| token.to_owned()),
        })
    }
}

/// Signs a token as a person has it: for the API and for Realtime. PostgREST lets it neither read nor call anything.
pub fn sign_for(secret: &str, subject: &str, tenant: Uuid, role: Role, valid_s: i64) -> String {
    sign(secret, "authenticated", subject, tenant, role, None, valid_s)
}

/// Signs the token with which the API acts in the database for a caller whose credential it has checked. Its role is what proves that the call
/// has passed the API's limits, hooks and checks: what people read and change is granted to it alone. It never leaves the API.
pub fn sign_for_api(secret: &str, subject: &str, tenant: Uuid, role: Role, email: Option<&str>) -> String {
    sign(secret, "nofx_api", subject, tenant, role, email, API_TOKEN_S)
}

fn sign(secret: &str, database_role: &str, subject: &str, tenant: Uuid, role: Role, email: Option<&str>, valid_s: i64) -> String {
    let claims = Claims {
        sub: subject.to_owned(),
        role: database_role.to_owned(),
        exp: Utc::now().timestamp() + valid_s,
        email: email.map(str::to_owned),
        session_id: None,
        app_metadata: AppMetadata { tenant_id: tenant, nofx_role: role },
    };
    jwt::sign(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(secret.as_bytes()))
        .expect("claims of text and numbers always serialise")
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::{Role, sign_for, sign_for_api};

    fn claims(token: &str) -> Value {
        let text = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).expect("a token")).expect("base64");
        serde_json::from_slice(&text).expect("claims")
    }

    #[test]
    fn only_the_apis_token_has_the_role_that_reads_and_calls() {
        let tenant = Uuid::from_u128(1);
        let person = claims(&sign_for("secret", "ada", tenant, Role::Viewer, 60));
        assert_eq!((&person["role"], person.get("email")), (&json!("authenticated"), None));
        let api = claims(&sign_for_api("secret", "ada", tenant, Role::Admin, Some("ada@example.com")));
        assert_eq!((&api["role"], &api["sub"], &api["email"]), (&json!("nofx_api"), &json!("ada"), &json!("ada@example.com")));
        assert_eq!(api["app_metadata"], json!({"tenant_id": tenant, "nofx_role": "admin"}));
        assert!(api["exp"].as_i64().expect("an expiry") <= chrono::Utc::now().timestamp() + 120, "it is for one request");
    }
}
