//! The key that signs calls of the function that executes steps. What a call says is not here: see `function_calls`.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{hmac_sha256, is_hmac_sha256};

/// What is signed before the body: a signature of something else is none of a call.
const LABEL: &[u8] = b"nofx-function-call-v1\n";
/// Before the signature, for other kinds of signatures later.
const VERSION: &str = "v1=";

/// A key of HMAC-SHA256 that workers and the function share. It is in no text: `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct FunctionKey([u8; 32]);

impl FunctionKey {
    /// The signature of a body: `v1=<hex>`.
    pub fn sign(&self, body: &[u8]) -> String {
        format!("{VERSION}{}", hmac_sha256(&self.0, &[LABEL, body].concat()))
    }

    /// Whether one of these keys signed the body. In constant time, and the same for each of the keys.
    pub fn is_signed(keys: &[Self], body: &[u8], signature: &str) -> bool {
        let Some(digits) = signature.strip_prefix(VERSION) else { return false };
        let signed = [LABEL, body].concat();
        keys.iter().fold(false, |so_far, key| so_far | is_hmac_sha256(&key.0, &signed, digits))
    }
}

impl FromStr for FunctionKey {
    type Err = &'static str;

    /// Base64 of 32 bytes.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = STANDARD.decode(text.trim()).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or("must be base64 of 32 bytes (openssl rand -base64 32)")
    }
}

impl fmt::Debug for FunctionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FunctionKey")
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::FunctionKey;

    fn key(byte: u8) -> FunctionKey {
        STANDARD.encode([byte; 32]).parse().expect("a key")
    }

    #[test]
    fn a_body_is_signed_by_one_of_the_keys_or_not_at_all() {
        let body = br#"{"step": 1}"#;
        let signature = key(1).sign(body);
        for keys in [vec![key(1)], vec![key(2), key(1)], vec![key(1), key(2)]] {
            assert!(FunctionKey::is_signed(&keys, body, &signature));
        }
        assert!(!FunctionKey::is_signed(&[], body, &signature) && !FunctionKey::is_signed(&[key(2)], body, &signature));
        assert!(!FunctionKey::is_signed(&[key(1)], br#"{"step": 2}"#, &signature), "the body was altered");
        let digits = &signature["v1=".len()..];
        for wrong in ["", "v1=", "v1=00", digits, &format!("v2={digits}"), &format!("v1={digits}00"), &format!(" {signature}"), "v1=é"] {
            assert!(!FunctionKey::is_signed(&[key(1)], body, wrong), "{wrong}");
        }
        let plain = format!("v1={}", super::hmac_sha256(&[1; 32], body));
        assert!(!FunctionKey::is_signed(&[key(1)], body, &plain), "signed for something else");
    }

    #[test]
    fn a_key_has_32_bytes_and_is_not_shown() {
        for wrong in ["", "secret", "AAAA", &STANDARD.encode([1; 31]), &STANDARD.encode([1; 33])] {
            assert!(wrong.parse::<FunctionKey>().is_err(), "{wrong}");
        }
        assert_eq!(format!("{:?}", key(7)), "FunctionKey");
    }
}
