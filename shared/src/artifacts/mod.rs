//! What runs keep: named by its content.

use sha2::{Digest, Sha256};

/// `sha256:<hex>` of bytes.
pub fn digest(bytes: &[u8]) -> String {
    spell(&Sha256::digest(bytes))
}

/// `sha256:<hex>` of a digest that was computed piece by piece.
pub fn spell(digest: &[u8]) -> String {
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}
