//! What tokens of people and of API roles claim, as a hosted project's do.

use chrono::Utc;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::project::sign;

/// An access token for a person of a tenant, signed with the secret: nobody signed in for it, so it belongs to no session.
pub fn access_token(secret: &str, subject: Uuid, email: &str, tenant: Uuid, role: &str, valid_s: i64) -> String {
    sign(secret, &person(subject, email, tenant, role, valid_s))
}

/// A token for one of the API roles (`anon`, `service_role`), valid for ten years like the keys of a hosted project.
pub(crate) fn api_key(secret: &str, role: &str) -> String {
    let now = Utc::now().timestamp();
    sign(secret, &json!({"iss": "supabase", "ref": "local", "role": role, "iat": now, "exp": now + 10 * 365 * 86_400}))
}

/// The claims of someone who signed in.
pub(super) fn session(subject: Uuid, email: &str, tenant: Uuid, role: &str, valid_s: i64) -> Value {
    let mut claims = person(subject, email, tenant, role, valid_s);
    claims["session_id"] = json!(Uuid::now_v7());
    claims
}

fn person(subject: Uuid, email: &str, tenant: Uuid, role: &str, valid_s: i64) -> Value {
    let now = Utc::now().timestamp();
    json!({
        "aud": "authenticated", "role": "authenticated", "sub": subject, "email": email, "iat": now, "exp": now + valid_s,
        "app_metadata": {"provider": "email", "tenant_id": tenant, "nofx_role": role}, "user_metadata": {},
        "is_anonymous": false,
    })
}
