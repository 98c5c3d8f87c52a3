use jsonwebtoken::EncodingKey;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;

/// The RSA key of a PEM, as GitHub gives it for an app: `RSA PRIVATE KEY` (PKCS #1) or `PRIVATE KEY` (PKCS #8).
pub fn rsa_key(pem: &str) -> Result<EncodingKey, &'static str> {
    // The parser's error would quote the text.
    match PrivateKeyDer::from_pem_slice(pem.as_bytes()) {
        Ok(key @ (PrivateKeyDer::Pkcs1(_) | PrivateKeyDer::Pkcs8(_))) => Ok(EncodingKey::from_rsa_der(key.secret_der())),
        _ => Err("not the PEM of an RSA private key"),
    }
}
