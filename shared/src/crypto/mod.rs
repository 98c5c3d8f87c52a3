//! Signatures, tokens, digests and encryption. Masking is in `secrets`.

mod digest;
mod envelope;
mod function_key;
mod hmac;
pub mod jwt;
mod random;
mod rotate;
mod sign;

pub use digest::{digest, format_digest, sha256};
pub use envelope::{Keyring, Sealed, UnsealError, WrappedKey};
pub use function_key::FunctionKey;
pub use hmac::{hmac_sha256, is_hmac_sha256};
pub use random::random_token;
pub use sign::{Envelope, PublicKey, Signature, SigningKey};
