//! RSASSA-PKCS1-v1_5 with SHA-256. Keys have 2048 bits or more (RFC 7518, 3.3): up to 4096 to sign, up to 8192 to verify.

use jsonwebtoken::crypto::{JwtSigner, JwtVerifier};
use jsonwebtoken::errors::{Error as JwtError, ErrorKind};
use jsonwebtoken::signature::{Error, Signer, Verifier};
use jsonwebtoken::{Algorithm, DecodingKeyKind};
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey};

pub(super) struct Rs256Signer {
    pair: KeyPair,
    random: SystemRandom,
}

impl Rs256Signer {
    /// A private key in PKCS #1 or PKCS #8.
    pub(super) fn new(der: &[u8]) -> Result<Self, JwtError> {
        let pair = KeyPair::from_der(der).or_else(|_| KeyPair::from_pkcs8(der));
        Ok(Self { pair: pair.map_err(|why| ErrorKind::InvalidRsaKey(why.to_string()))?, random: SystemRandom::new() })
    }
}

impl Signer<Vec<u8>> for Rs256Signer {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &self.random, message, &mut signature).map_err(|_| Error::new())?;
        Ok(signature)
    }
}

impl JwtSigner for Rs256Signer {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RS256
    }
}

pub(super) struct Rs256Verifier(DecodingKeyKind);

impl Rs256Verifier {
    /// Modulus and exponent, or a public key in PKCS #1.
    pub(super) fn new(key: &DecodingKeyKind) -> Self {
        Self(key.clone())
    }
}

impl Verifier<Vec<u8>> for Rs256Verifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), Error> {
        let rule = &RSA_PKCS1_2048_8192_SHA256;
        let verified = match &self.0 {
            DecodingKeyKind::RsaModulusExponent { n, e } => PublicKeyComponents { n, e }.verify(rule, message, signature),
            DecodingKeyKind::SecretOrDer(der) => UnparsedPublicKey::new(rule, der).verify(message, signature),
        };
        verified.map_err(|_| Error::new())
    }
}

impl JwtVerifier for Rs256Verifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RS256
    }
}
