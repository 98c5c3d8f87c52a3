//! Keys of calls: each call of the database brings a key of its own, with which the database seals the payloads of the audit log that the call
//! writes (`nofx_private.seal_payload`). What is stored with a payload is the key wrapped by one of the deployment's.

use aes_gcm::aes::Aes256;
use aes_gcm::aes::cipher::{Array, BlockCipherDecrypt, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::envelope::{Keyring, Sealed, UnsealError};

/// What these keys are wrapped for.
pub const CALLS: &str = "audit";

const BLOCK: usize = 16;
const CODE: usize = 32;

impl Keyring {
    /// A new key, for the header `X-Nofx-Audit-Key`: `<key id>.<wrapped key>.<key>`.
    pub fn call_key(&self) -> String {
        let key: [u8; 32] = rand::random();
        let wrapped = self.wrap(&key, CALLS.as_bytes());
        format!("{}.{}.{}", wrapped.key_id, wrapped.wrapped_key, STANDARD.encode(key))
    }

    /// Opens what the database sealed for a row: vector, ciphertext (AES-256-CBC) and code (HMAC-SHA256).
    pub fn open_payload(&self, sealed: &Sealed, row: &[u8]) -> Result<Vec<u8>, UnsealError> {
        let key = self.unwrap(&sealed.key, CALLS.as_bytes())?;
        let bytes = STANDARD.decode(&sealed.sealed).map_err(|_| UnsealError::Tampered)?;
        let at = bytes.len().checked_sub(CODE).ok_or(UnsealError::Tampered)?;
        let (content, code) = bytes.split_at(at);
        mac(&derived(&key, b"authenticate"), &[row, content]).verify_slice(code).map_err(|_| UnsealError::Tampered)?;
        decrypt(&derived(&key, b"encrypt"), content).ok_or(UnsealError::Tampered)
    }
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac
}

fn derived(key: &[u8], purpose: &[u8]) -> [u8; 32] {
    mac(key, &[purpose]).finalize().into_bytes().into()
}

/// CBC: each block is decrypted and combined with the ciphertext before it. The last byte says how many bytes fill up the last block.
fn decrypt(key: &[u8; 32], content: &[u8]) -> Option<Vec<u8>> {
    if content.len() < 2 * BLOCK || !content.len().is_multiple_of(BLOCK) {
        return None;
    }
    let cipher = Aes256::new(&Array::from(*key));
    let mut plain = Vec::with_capacity(content.len());
    for (before, block) in content.chunks_exact(BLOCK).zip(content.chunks_exact(BLOCK).skip(1)) {
        let mut block = Array::try_from(block).ok()?;
        cipher.decrypt_block(&mut block);
        plain.extend(block.iter().zip(before).map(|(byte, mask)| byte ^ mask));
    }
    let fill = usize::from(*plain.last()?);
    let end = plain.len().checked_sub(fill).filter(|_| (1..=BLOCK).contains(&fill))?;
    plain.truncate(end);
    Some(plain)
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::{Keyring, UnsealError};
    use crate::crypto::{Sealed, WrappedKey};

    const KEYS: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    /// As `nofx_private.seal_payload` seals for the row 00000000-0000-0000-0000-000000000001, with the key sha256('key'); made with openssl.
    const SEALED: &str =
        "AAECAwQFBgcICQoLDA0OD++XW78k1S4XcAE2dmxHOaEjSKPabH93POxwm+oJd5CnTDsQbgIy6m3pxUzE2aZ0YqcFKjy4C54gGc3OFvR9XFtBTJIOo4zJ0x3AuM4Dx8Qv";

    #[test]
    fn what_the_database_sealed_is_opened_for_its_row_alone() {
        let keys: Keyring = KEYS.parse().expect("keys");
        let key = hex::decode("2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683").expect("hex");
        let sealed = Sealed { sealed: SEALED.to_owned(), key: keys.wrap(&key, b"audit") };
        let row = uuid::Uuid::from_u128(1);
        assert_eq!(keys.open_payload(&sealed, row.as_bytes()), Ok(br#"{"after": {"a": "of more than one block"}}"#.to_vec()));
        assert_eq!(keys.open_payload(&sealed, uuid::Uuid::from_u128(2).as_bytes()), Err(UnsealError::Tampered));
        let mut bytes = STANDARD.decode(SEALED).expect("base64");
        for at in [0, 16, 40, bytes.len() - 1] {
            bytes[at] ^= 1;
            let changed = Sealed { sealed: STANDARD.encode(&bytes), ..sealed.clone() };
            assert_eq!(keys.open_payload(&changed, row.as_bytes()), Err(UnsealError::Tampered), "byte {at}");
            bytes[at] ^= 1;
        }
        let short = Sealed { sealed: STANDARD.encode([0; 31]), ..sealed };
        assert_eq!(keys.open_payload(&short, row.as_bytes()), Err(UnsealError::Tampered));
    }

    #[test]
    fn each_call_has_a_key_of_its_own_which_the_deployments_key_wraps() {
        let keys: Keyring = KEYS.parse().expect("keys");
        let header = keys.call_key();
        assert_ne!(header, keys.call_key());
        let [id, wrapped, key] = header.split('.').collect::<Vec<_>>()[..] else { panic!("{header}") };
        let wrapped = WrappedKey { key_id: id.to_owned(), wrapped_key: wrapped.to_owned() };
        assert_eq!(keys.unwrap(&wrapped, b"audit").map(|key| STANDARD.encode(key)).as_deref(), Ok(key));
    }
}
