//! JSON Web Tokens (RFC 7519), signed and verified by `ring`: HS256, RS256 and ES256 (RFC 7518), and no other algorithm. `jsonwebtoken`
//! parses them; whoever signs or verifies a token does it here, so that its provider is installed.

mod es256;
mod hs256;
mod provider;
mod public_key;
mod rs256;
mod rsa_key;
mod sign;
mod verify;

pub use public_key::public_key;
pub use rsa_key::rsa_key;
pub use sign::sign;
pub use verify::verify;

#[cfg(test)]
mod tests;
