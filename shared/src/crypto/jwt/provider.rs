//! The algorithms, as the provider of `jsonwebtoken`: a key of another type than the algorithm's is refused before it is used. Of the
//! providers that it has itself, one signs with the crate `rsa`, whose timing tells the private key (RUSTSEC-2023-0071), and the other is a
//! library in C; `ring` is here for TLS anyway.

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, EncodingKey};

use super::es256::{self, Es256Signer, Es256Verifier};
use super::hs256::Hs256;
use super::rs256::{Rs256Signer, Rs256Verifier};

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    // Only public keys of ES256 are written; `from_jwk`, which reads keys, needs none of these.
    key_utils: KeyUtils {
        rsa_pub_components_from_private_key: |_| Err(ErrorKind::UnsupportedAlgorithm.into()),
        rsa_pub_components_from_public_key: |_| Err(ErrorKind::UnsupportedAlgorithm.into()),
        ec_pub_components_from_private_key: es256::coordinates,
        ed_pub_components_from_private_key: |_, _| Err(ErrorKind::UnsupportedAlgorithm.into()),
        compute_digest: |_, _| Err(ErrorKind::UnsupportedAlgorithm.into()),
    },
};

/// Installs the provider of the process.
pub(super) fn install() {
    // Each call but the first finds it installed: that is no error.
    let _ = PROVIDER.install_default();
}

fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    Ok(match (algorithm, key.family()) {
        (Algorithm::HS256, AlgorithmFamily::Hmac) => Box::new(Hs256::new(key.as_bytes())),
        (Algorithm::ES256, AlgorithmFamily::Ec) => Box::new(Es256Signer::new(key.as_bytes())?),
        (Algorithm::RS256, AlgorithmFamily::Rsa) => Box::new(Rs256Signer::new(key.as_bytes())?),
        (Algorithm::HS256 | Algorithm::ES256 | Algorithm::RS256, _) => return Err(ErrorKind::InvalidKeyFormat.into()),
        _ => return Err(ErrorKind::UnsupportedAlgorithm.into()),
    })
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    Ok(match (algorithm, key.family()) {
        (Algorithm::HS256, AlgorithmFamily::Hmac) => Box::new(Hs256::new(key.try_get_as_bytes()?)),
        (Algorithm::ES256, AlgorithmFamily::Ec) => Box::new(Es256Verifier::new(key.try_get_as_bytes()?)),
        (Algorithm::RS256, AlgorithmFamily::Rsa) => Box::new(Rs256Verifier::new(key.kind())),
        (Algorithm::HS256 | Algorithm::ES256 | Algorithm::RS256, _) => return Err(ErrorKind::InvalidKeyFormat.into()),
        _ => return Err(ErrorKind::UnsupportedAlgorithm.into()),
    })
}
