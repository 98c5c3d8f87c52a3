//! Seals the payloads of the audit log, and rewraps their keys after a rotation. Each call does a part; workers repeat it until
//! nothing is left.

use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::crypto::{Keyring, WrappedKey};
use crate::db::{Db, Error};

#[derive(Deserialize)]
struct Unsealed {
    audit_id: Uuid,
    plain: Option<String>,
    key_id: Option<String>,
    wrapped_key: Option<String>,
}

#[derive(Serialize)]
struct SealedPayload {
    audit_id: Uuid,
    sealed: Option<String>,
    #[serde(flatten)]
    key: WrappedKey,
    was: Option<String>,
}

/// Seals plain payloads and rewraps keys that another key wraps; returns how many payloads changed.
pub async fn seal_payloads(db: &Db, keys: &Keyring) -> Result<u32, Error> {
    let unsealed: Vec<Unsealed> = db.call("list_unsealed_payloads", &json!({"p_key": keys.current()})).await?;
    let sealed: Vec<SealedPayload> = unsealed.into_iter().filter_map(|one| seal(one, keys)).collect();
    if sealed.is_empty() {
        return Ok(0);
    }
    db.call("seal_payloads", &json!({"p_payloads": sealed})).await
}

fn seal(one: Unsealed, keys: &Keyring) -> Option<SealedPayload> {
    let about = one.audit_id.as_bytes();
    if let Some(plain) = one.plain {
        let sealed = keys.seal(plain.as_bytes(), about);
        return Some(SealedPayload { audit_id: one.audit_id, sealed: Some(sealed.sealed), key: sealed.key, was: None });
    }
    let was = WrappedKey { key_id: one.key_id?, wrapped_key: one.wrapped_key? };
    match keys.rewrap(&was, about) {
        Ok(key) => Some(SealedPayload { audit_id: one.audit_id, sealed: None, key, was: Some(was.wrapped_key) }),
        Err(error) => {
            tracing::warn!(%error, audit_id = %one.audit_id, "could not rewrap the key of an audit payload");
            None
        }
    }
}
