//! Envelope encryption: each payload is sealed by a key of its own (AES-256-GCM), and that key is wrapped by one of the deployment's.

use std::fmt;
use std::str::FromStr;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::Rng;
use serde::{Deserialize, Serialize};

const NONCE_BYTES: usize = 12;

/// The deployment's keys: the first wraps, all unwrap.
#[derive(Clone)]
pub struct Keyring {
    keys: Vec<(String, Aes256Gcm)>,
}

/// A payload and the key that it is sealed with, wrapped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// Base64 of nonce and ciphertext.
    pub sealed: String,
    #[serde(flatten)]
    pub key: WrappedKey,
}

/// A payload's key, wrapped by a key of the deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrappedKey {
    pub key_id: String,
    /// Base64 of nonce and ciphertext.
    pub wrapped_key: String,
}

/// Why a payload could not be unsealed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnsealError {
    #[error("the key {0} is not in NOFX_ENCRYPTION_KEYS")]
    UnknownKey(String),
    #[error("the ciphertext was changed, or belongs to something else")]
    Tampered,
}

impl FromStr for Keyring {
    type Err = &'static str;

    /// `id:base64 of 32 bytes`, separated by commas; the first is the one that wraps.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut keys: Vec<(String, Aes256Gcm)> = vec![];
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (id, key) = pair.split_once(':').ok_or("use `id:key`, separated by commas; the first wraps, all unwrap")?;
            let is_id = (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
            let key = STANDARD.decode(key).ok().and_then(|key| Aes256Gcm::new_from_slice(&key).ok());
            if !is_id || keys.iter().any(|(known, _)| known == id) {
                return Err("an id has 1 to 64 letters, digits, `-` or `_`, and names one key");
            }
            keys.push((id.to_owned(), key.ok_or("a key is base64 of 32 bytes (create one: openssl rand -base64 32)")?));
        }
        if keys.is_empty() { Err("no key is set") } else { Ok(Self { keys }) }
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.keys.iter().map(|(id, _)| id)).finish()
    }
}

impl Keyring {
    /// Seals nothing that counts.
    pub(crate) fn placeholder() -> Self {
        format!("none:{}", STANDARD.encode([0; 32])).parse().expect("32 bytes")
    }

    /// The id of the key that wraps.
    pub fn current(&self) -> &str {
        &self.keys[0].0
    }

    /// Seals a payload. `about` is what it belongs to: it cannot be opened for anything else.
    pub fn seal(&self, payload: &[u8], about: &[u8]) -> Sealed {
        let key: [u8; 32] = rand::random();
        let cipher = Aes256Gcm::new_from_slice(&key).expect("32 bytes");
        Sealed { sealed: encrypt(&cipher, payload, about), key: self.wrap(&key, about) }
    }

    pub fn open(&self, sealed: &Sealed, about: &[u8]) -> Result<Vec<u8>, UnsealError> {
        let key = self.unwrap(&sealed.key, about)?;
        let cipher = Aes256Gcm::new_from_slice(&key).map_err(|_| UnsealError::Tampered)?;
        decrypt(&cipher, &sealed.sealed, about)
    }

    pub(super) fn wrap(&self, key: &[u8], about: &[u8]) -> WrappedKey {
        let (id, cipher) = &self.keys[0];
        WrappedKey { key_id: id.clone(), wrapped_key: encrypt(cipher, key, about) }
    }

    pub(super) fn unwrap(&self, wrapped: &WrappedKey, about: &[u8]) -> Result<Vec<u8>, UnsealError> {
        let known = self.keys.iter().find(|(id, _)| *id == wrapped.key_id);
        let (_, cipher) = known.ok_or_else(|| UnsealError::UnknownKey(wrapped.key_id.clone()))?;
        decrypt(cipher, &wrapped.wrapped_key, about)
    }
}

fn encrypt(cipher: &Aes256Gcm, payload: &[u8], about: &[u8]) -> String {
    // Random: a key seals one payload, and wraps far fewer than the 2^32 that random nonces allow (NIST SP 800-38D).
    let mut out = vec![0; NONCE_BYTES];
    rand::rng().fill_bytes(&mut out);
    let nonce = Nonce::try_from(&out[..]).expect("12 bytes");
    let text = cipher.encrypt(&nonce, Payload { msg: payload, aad: about }).expect("shorter than 64 GiB");
    out.extend(text);
    STANDARD.encode(out)
}

fn decrypt(cipher: &Aes256Gcm, text: &str, about: &[u8]) -> Result<Vec<u8>, UnsealError> {
    let bytes = STANDARD.decode(text).ok().filter(|bytes| bytes.len() > NONCE_BYTES).ok_or(UnsealError::Tampered)?;
    let (nonce, text) = bytes.split_at(NONCE_BYTES);
    let nonce = Nonce::try_from(nonce).map_err(|_| UnsealError::Tampered)?;
    cipher.decrypt(&nonce, Payload { msg: text, aad: about }).map_err(|_| UnsealError::Tampered)
}

#[cfg(test)]
mod tests {
    use super::{Keyring, UnsealError};

    const OLD: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const BOTH: &str = "k2:HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=,k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    #[test]
    fn what_was_sealed_is_opened_for_what_it_belongs_to_and_nothing_else() {
        let keys: Keyring = OLD.parse().expect("keys");
        let sealed = keys.seal(b"secret", b"row 1");
        assert_ne!(sealed, keys.seal(b"secret", b"row 1"), "another key and nonce each time");
        assert_eq!(keys.open(&sealed, b"row 1"), Ok(b"secret".to_vec()));
        assert_eq!(keys.open(&sealed, b"row 2"), Err(UnsealError::Tampered));
        let mut changed = sealed;
        changed.sealed = keys.seal(b"other", b"row 1").sealed;
        assert_eq!(keys.open(&changed, b"row 1"), Err(UnsealError::Tampered), "the text of another under this one's key");
    }

    #[test]
    fn rotation_wraps_again_and_leaves_the_payload() {
        let (old, both): (Keyring, Keyring) = (OLD.parse().expect("keys"), BOTH.parse().expect("keys"));
        let mut sealed = old.seal(b"secret", b"row");
        let before = sealed.sealed.clone();
        sealed.key = both.rewrap(&sealed.key, b"row").expect("known to both");
        assert_eq!((sealed.key.key_id.as_str(), &sealed.sealed), ("k2", &before));
        assert_eq!(both.open(&sealed, b"row"), Ok(b"secret".to_vec()));
        assert_eq!(old.open(&sealed, b"row"), Err(UnsealError::UnknownKey("k2".to_owned())));
    }

    #[test]
    fn keys_that_cannot_be_read_are_refused() {
        for bad in ["", "k1", "k1:c2hvcnQ=", "k 1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", &format!("{OLD},{OLD}")] {
            assert!(bad.parse::<Keyring>().is_err(), "{bad}");
        }
        assert_eq!(format!("{:?}", OLD.parse::<Keyring>().expect("keys")), "[\"k1\"]", "a key is never printed");
    }
}
