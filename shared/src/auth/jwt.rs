//! Supabase's JWTs: HS256 with the project's secret.

use chrono::Utc;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Caller, Role};

/// What we read of a token.
#[derive(Serialize, Deserialize)]
pub struct Claims {
    sub: String,
    role: String,
    exp: i64,
    app_metadata: AppMetadata,
}

#[derive(Serialize, Deserialize)]
struct AppMetadata {
    tenant_id: Uuid,
    nofx_role: Role,
}

/// Checks a token: signature, expiry, and that it names a tenant and a role.
pub fn verify(secret: &str, token: &str) -> Result<Caller, jsonwebtoken::errors::Error> {
    let mut rules = Validation::new(Algorithm::HS256);
    rules.leeway = 0;
    rules.validate_aud = false;
    let claims = jsonwebtoken::decode::<Claims>(token, &DecodingKey::from_secret(secret.as_bytes()), &rules)?.claims;
    Ok(Caller { subject: claims.sub, tenant: claims.app_metadata.tenant_id, role: claims.app_metadata.nofx_role, token: token.to_owned() })
}

/// Signs a short-lived token for somebody whom another credential proved.
pub fn sign_for(secret: &str, subject: &str, tenant: Uuid, role: Role, valid_s: i64) -> String {
    let claims = Claims {
        sub: subject.to_owned(),
        role: "authenticated".to_owned(),
        exp: Utc::now().timestamp() + valid_s,
        app_metadata: AppMetadata { tenant_id: tenant, nofx_role: role },
    };
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(secret.as_bytes()))
        .expect("claims of text and numbers always serialise")
}
