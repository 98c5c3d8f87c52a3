//! Digests and how they are written.

use sha2::{Digest, Sha256};

/// sha256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// `sha256:<hex>` of bytes.
pub fn digest(bytes: &[u8]) -> String {
    format_digest(&Sha256::digest(bytes))
}

/// `sha256:<hex>` of a digest that was computed piece by piece.
pub fn format_digest(digest: &[u8]) -> String {
    format!("sha256:{}", hex::encode(digest))
}
