//! Wraps keys again after a rotation: those of payloads of the audit log, of hooks and of webhook sources. Each call does a part; workers repeat
//! it until nothing is left.

use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::crypto::{Keyring, UnsealError, WrappedKey};
use crate::db::{Db, Error};

#[derive(Deserialize)]
struct StaleKey {
    kind: String,
    id: Uuid,
    about: String,
    was: String,
}

#[derive(Serialize)]
struct RewrappedKey {
    kind: String,
    id: Uuid,
    was: String,
    now: String,
}

/// Wraps keys that another key than the current one wraps; returns how many were changed.
pub async fn rewrap_keys(db: &Db, keys: &Keyring) -> Result<u32, Error> {
    let stale: Vec<StaleKey> = db.call("list_stale_keys", &json!({"p_key": keys.current()})).await?;
    let rewrapped: Vec<RewrappedKey> = stale.into_iter().filter_map(|one| rewrap(one, keys)).collect();
    if rewrapped.is_empty() {
        return Ok(0);
    }
    db.call("rewrap_keys", &json!({"p_keys": rewrapped})).await
}

fn rewrap(one: StaleKey, keys: &Keyring) -> Option<RewrappedKey> {
    let now = if one.kind == "payload" { payload_key(&one, keys) } else { keys.rewrap_text(&one.was, &one.about) };
    match now {
        Ok(now) => Some(RewrappedKey { kind: one.kind, id: one.id, was: one.was, now }),
        Err(error) => {
            tracing::warn!(%error, kind = one.kind, id = %one.id, "could not wrap a key again");
            None
        }
    }
}

fn payload_key(one: &StaleKey, keys: &Keyring) -> Result<String, UnsealError> {
    let (key_id, wrapped_key) = one.was.split_once('.').ok_or(UnsealError::Tampered)?;
    let was = WrappedKey { key_id: key_id.to_owned(), wrapped_key: wrapped_key.to_owned() };
    keys.rewrap(&was, one.about.as_bytes()).map(|now| format!("{}.{}", now.key_id, now.wrapped_key))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{StaleKey, rewrap};
    use crate::crypto::Keyring;

    #[test]
    fn keys_of_payloads_and_of_texts_are_wrapped_by_the_current_key() {
        let old = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let both: Keyring = format!("k2:HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=,{old}").parse().expect("keys");
        let old: Keyring = old.parse().expect("keys");
        let call = old.call_key();
        let payload = call.rsplit_once('.').expect("three parts").0.to_owned();
        let text = old.seal_text("secret", "hook_secret/t/h");
        let stale = |kind: &str, about: &str, was: &str| StaleKey {
            kind: kind.to_owned(),
            id: Uuid::nil(),
            about: about.to_owned(),
            was: was.to_owned(),
        };
        let now = |stale: StaleKey| rewrap(stale, &both).map(|key| key.now);
        assert!(now(stale("payload", "audit", &payload)).is_some_and(|now| now.starts_with("k2.")));
        assert!(now(stale("hook_secret", "hook_secret/t/h", &text)).is_some_and(|now| now.starts_with("sealed.k2.")));
        assert_eq!(now(stale("hook_secret", "hook_secret/t/other", &text)), None, "sealed for something else");
        assert_eq!(now(stale("payload", "audit", "k1")), None);
    }
}
