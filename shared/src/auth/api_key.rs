//! API keys: `nofx_` and 40 random characters. Only the sha256 of a key is ever stored.

use rand::RngExt;

use crate::crypto::sha256;

/// A key that was just created; shown once.
pub struct ApiKey {
    pub key: String,
    pub hash: String,
    /// The first characters, for people to recognise the key.
    pub prefix: String,
}

impl ApiKey {
    pub fn create() -> Self {
        const ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
        let mut random = rand::rng();
        let secret: String = (0..40).map(|_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())])).collect();
        let key = format!("nofx_{secret}");
        Self { hash: fingerprint(&key), prefix: key[..10].to_owned(), key }
    }
}

/// The stored hash of a key. A key has 230 random bits, so a plain hash is as safe as a slow one.
pub fn fingerprint(key: &str) -> String {
    sha256(key.as_bytes())
}
