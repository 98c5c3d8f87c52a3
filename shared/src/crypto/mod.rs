//! Signatures, digests and encryption. Masking is in `secrets`.

mod digest;
mod envelope;
mod hmac;
mod rotate;
mod sign;

pub(crate) use digest::from_hex;
pub use digest::{digest, format_digest, hex, sha256};
pub use envelope::{Keyring, Sealed, UnsealError, WrappedKey};
pub use hmac::{hmac_sha256, is_hmac_sha256};
pub use sign::{Envelope, PublicKey, Signature, SigningKey};
