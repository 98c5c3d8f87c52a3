//! Signatures, tokens, digests and encryption. Masking is in `secrets`.

mod call_key;
mod digest;
mod envelope;
mod function_key;
mod hmac;
pub mod jwt;
mod random;
mod rotate;
mod sealed_text;
mod sign;

pub use call_key::CALLS;
pub use digest::{digest, format_digest, sha256};
pub use envelope::{Keyring, Sealed, UnsealError, WrappedKey};
pub use function_key::FunctionKey;
pub use hmac::{hmac_sha256, is_hmac_sha256};
pub use random::random_token;
pub use sign::{Envelope, PublicKey, Signature, SigningKey};
