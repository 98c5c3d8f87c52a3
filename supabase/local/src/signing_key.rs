//! The key pair that signs tokens of people (ES256), as hosted projects have one.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use p256::SecretKey;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::pkcs8::EncodePrivateKey;
use rand::RngExt;
use serde_json::{Value, json};

/// The pair, from the 32 bytes of its private half.
#[derive(Clone)]
pub(crate) struct SigningKey {
    key_id: String,
    secret: SecretKey,
}

impl SigningKey {
    /// The private half of a new pair, in hexadecimal.
    pub(crate) fn make() -> String {
        let mut random = rand::rng();
        loop {
            let bytes: [u8; 32] = random.random();
            // All but a few of the largest numbers are keys.
            if SecretKey::from_slice(&bytes).is_ok() {
                return bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            }
        }
    }

    /// None when the text is no key.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let bytes: Option<Vec<u8>> = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect();
        let secret = SecretKey::from_slice(&bytes?).ok()?;
        let key_id = format!("local-{}", &coordinates(&secret).0[..8]);
        Some(Self { key_id, secret })
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        let der = self.secret.to_pkcs8_der().expect("a P-256 key has a PKCS #8 form");
        let header = Header { kid: Some(self.key_id.clone()), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_ec_der(der.as_bytes()))
            .expect("claims made of JSON values always serialise")
    }

    pub(crate) fn verifier(&self) -> DecodingKey {
        let (x, y) = coordinates(&self.secret);
        DecodingKey::from_ec_components(&x, &y).expect("the point is on the curve")
    }

    /// The public half (RFC 7517).
    pub(crate) fn public_jwk(&self) -> Value {
        let (x, y) = coordinates(&self.secret);
        json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "key_ops": ["verify"], "kid": self.key_id, "x": x, "y": y})
    }

    /// What PostgREST checks tokens with: the secret and the public half.
    pub(crate) fn with_secret(&self, secret: &str) -> Value {
        json!({"keys": [{"kty": "oct", "alg": "HS256", "k": URL_SAFE_NO_PAD.encode(secret)}, self.public_jwk()]})
    }
}

fn coordinates(secret: &SecretKey) -> (String, String) {
    let point = secret.public_key().to_encoded_point(false);
    let bytes = point.as_bytes();
    (URL_SAFE_NO_PAD.encode(&bytes[1..33]), URL_SAFE_NO_PAD.encode(&bytes[33..65]))
}
