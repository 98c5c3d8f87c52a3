//! ECDSA on P-256 with SHA-256. A signature is the two numbers side by side, 64 bytes (RFC 7518, 3.4); their DER form is refused.

use jsonwebtoken::Algorithm;
use jsonwebtoken::crypto::{JwtSigner, JwtVerifier};
use jsonwebtoken::errors::{Error as JwtError, ErrorKind};
use jsonwebtoken::jwk::EllipticCurve;
use jsonwebtoken::signature::{Error, Signer, Verifier};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey};

pub(super) struct Es256Signer {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl Es256Signer {
    /// A private key in PKCS #8, with its public half.
    pub(super) fn new(der: &[u8]) -> Result<Self, JwtError> {
        let random = SystemRandom::new();
        Ok(Self { pair: pair(der, &random)?, random })
    }
}

impl Signer<Vec<u8>> for Es256Signer {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.pair.sign(&self.random, message).map(|signature| signature.as_ref().to_vec()).map_err(|_| Error::new())
    }
}

impl JwtSigner for Es256Signer {
    fn algorithm(&self) -> Algorithm {
        Algorithm::ES256
    }
}

pub(super) struct Es256Verifier(UnparsedPublicKey<Vec<u8>>);

impl Es256Verifier {
    /// An uncompressed point: the byte 4, then x and y. One that is not on the curve verifies nothing.
    pub(super) fn new(point: &[u8]) -> Self {
        Self(UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point.to_vec()))
    }
}

impl Verifier<Vec<u8>> for Es256Verifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), Error> {
        self.0.verify(message, signature).map_err(|_| Error::new())
    }
}

impl JwtVerifier for Es256Verifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::ES256
    }
}

/// The curve and the coordinates of the public half of a private key in PKCS #8.
pub(super) fn coordinates(der: &[u8], algorithm: Algorithm) -> Result<(EllipticCurve, Vec<u8>, Vec<u8>), JwtError> {
    if algorithm != Algorithm::ES256 {
        return Err(ErrorKind::UnsupportedAlgorithm.into());
    }
    let pair = pair(der, &SystemRandom::new())?;
    let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
    Ok((EllipticCurve::P256, x.to_vec(), y.to_vec()))
}

fn pair(der: &[u8], random: &SystemRandom) -> Result<EcdsaKeyPair, JwtError> {
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, random).map_err(|_| ErrorKind::InvalidEcdsaKey.into())
}
