//! The key pair that signs tokens of people (ES256), as hosted projects have one.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use nofx_shared::crypto::jwt;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};

/// The pair, from its private half.
#[derive(Clone)]
pub(crate) struct SigningKey {
    key_id: String,
    private: EncodingKey,
    public: Jwk,
}

impl SigningKey {
    /// A new pair: base64 of its PKCS #8 document.
    pub(crate) fn make() -> String {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        STANDARD.encode(document.expect("the system has random numbers"))
    }

    /// None when the text is no key.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let private = EncodingKey::from_ec_der(&STANDARD.decode(text).ok()?);
        let mut public = jwt::public_key(&private).ok()?;
        let AlgorithmParameters::EllipticCurve(point) = &public.algorithm else { return None };
        let key_id = format!("local-{}", &point.x[..8]);
        public.common.key_id = Some(key_id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        public.common.key_operations = Some(vec![KeyOperations::Verify]);
        Some(Self { key_id, private, public })
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        let header = Header { kid: Some(self.key_id.clone()), ..Header::new(Algorithm::ES256) };
        jwt::sign(&header, claims, &self.private).expect("claims made of JSON values always serialise")
    }

    pub(crate) fn verifier(&self) -> DecodingKey {
        DecodingKey::from_jwk(&self.public).expect("the coordinates are base64")
    }

    /// The public half (RFC 7517).
    pub(crate) fn public_jwk(&self) -> Value {
        json!(self.public)
    }

    /// What PostgREST checks tokens with: the secret and the public half.
    pub(crate) fn with_secret(&self, secret: &str) -> Value {
        json!({"keys": [{"kty": "oct", "alg": "HS256", "k": URL_SAFE_NO_PAD.encode(secret)}, self.public_jwk()]})
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::Algorithm;
    use nofx_shared::crypto::jwt;
    use serde_json::{Value, json};

    use super::SigningKey;

    #[test]
    fn a_pair_is_read_again_and_verifies_its_own_tokens_only() {
        let text = SigningKey::make();
        let (key, other) = (SigningKey::read(&text).expect("a key"), SigningKey::read(&SigningKey::make()).expect("a key"));
        let claims = json!({"sub": "somebody", "exp": 32_503_680_000_i64});
        let token = key.sign(&claims);
        let again = SigningKey::read(&text).expect("a key");
        assert_eq!(jwt::verify::<Value>(&token, &again.verifier(), Algorithm::ES256).expect("valid"), claims);
        assert!(jwt::verify::<Value>(&token, &other.verifier(), Algorithm::ES256).is_err());
        let public = key.public_jwk();
        assert_eq!((&public["kty"], &public["crv"], &public["alg"]), (&json!("EC"), &json!("P-256"), &json!("ES256")));
        assert_eq!((&public["use"], &public["key_ops"]), (&json!("sig"), &json!(["verify"])));
        assert!(public["kid"].as_str().is_some_and(|kid| kid.starts_with("local-")) && public["d"].is_null(), "{public}");
    }

    #[test]
    fn what_is_no_key_is_not_read() {
        for text in ["", "AAAA", "é", &"07".repeat(32), &SigningKey::make()[..100]] {
            assert!(SigningKey::read(text).is_none(), "{text}");
        }
    }
}
