//! Signatures of what NOFX vouches for.

mod hmac;
mod sign;

pub use hmac::is_hmac_sha256;
pub use sign::{Envelope, PublicKey, Signature, SigningKey};
