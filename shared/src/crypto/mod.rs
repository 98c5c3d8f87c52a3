//! Signatures of what NOFX vouches for.

mod sign;

pub use sign::{Envelope, PublicKey, Signature, SigningKey};
