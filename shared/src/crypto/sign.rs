//! DSSE envelopes (secure-systems-lab/dsse 1.0.2), signed with Ed25519; keys are named by the digest of their public half.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use super::digest;

/// A statement and who signed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    pub payload_type: String,
    /// Base64 of the statement.
    pub payload: String,
    pub signatures: Vec<Signature>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    pub keyid: String,
    /// Base64.
    pub sig: String,
}

/// The public half of a key, as a JSON Web Key (RFC 8037).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey {
    pub kty: String,
    pub crv: String,
    /// Base64url of the 32 bytes.
    pub x: String,
    pub kid: String,
    #[serde(rename = "use", default)]
    pub usage: String,
    #[serde(default)]
    pub alg: String,
}

#[derive(Clone)]
pub struct SigningKey {
    key: Arc<Ed25519KeyPair>,
    public: PublicKey,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "SigningKey({})", self.public.kid)
    }
}

impl std::str::FromStr for SigningKey {
    type Err = &'static str;

    /// Base64 of the 32 bytes of the private half.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let key = STANDARD.decode(text.trim()).ok().and_then(|bytes| Ed25519KeyPair::from_seed_unchecked(&bytes).ok());
        let key = key.ok_or("not base64 of 32 bytes (create one: openssl rand -base64 32)")?;
        let public = PublicKey::of(key.public_key().as_ref());
        Ok(Self { key: Arc::new(key), public })
    }
}

impl SigningKey {
    /// Signs nothing that counts.
    pub(crate) fn placeholder() -> Self {
        STANDARD.encode([0; 32]).parse().expect("32 bytes")
    }

    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    pub fn sign(&self, payload_type: &str, payload: &[u8]) -> Envelope {
        let sig = self.key.sign(&encode(payload_type, payload));
        Envelope {
            payload_type: payload_type.to_owned(),
            payload: STANDARD.encode(payload),
            signatures: vec![Signature { keyid: self.public.kid.clone(), sig: STANDARD.encode(sig) }],
        }
    }
}

impl PublicKey {
    fn of(bytes: &[u8]) -> Self {
        Self {
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            x: URL_SAFE_NO_PAD.encode(bytes),
            kid: digest(bytes),
            usage: "sig".to_owned(),
            alg: "EdDSA".to_owned(),
        }
    }

    fn verifier(&self) -> Option<UnparsedPublicKey<Vec<u8>>> {
        let bytes = URL_SAFE_NO_PAD.decode(&self.x).ok()?;
        // A key is its digest: one that calls itself by another's name is none.
        (Self::of(&bytes).kid == self.kid).then(|| UnparsedPublicKey::new(&ED25519, bytes))
    }
}

impl Envelope {
    /// The statement, if one of these keys signed it.
    pub fn verify(&self, keys: &[PublicKey]) -> Option<Vec<u8>> {
        let payload = STANDARD.decode(&self.payload).ok()?;
        let message = encode(&self.payload_type, &payload);
        let is_valid = |signature: &Signature| {
            let sig = STANDARD.decode(&signature.sig).ok();
            let key = keys.iter().find(|key| key.kid == signature.keyid).and_then(PublicKey::verifier);
            sig.zip(key).is_some_and(|(sig, key)| key.verify(&message, &sig).is_ok())
        };
        self.signatures.iter().any(is_valid).then_some(payload)
    }
}

/// The bytes to sign: type and payload with their lengths, so that neither can pass for the other.
fn encode(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut out = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    out.extend_from_slice(payload);
    out
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    use super::{PublicKey, SigningKey, encode};

    #[test]
    fn the_encoding_is_that_of_the_specification() {
        // The example of DSSE's protocol.
        assert_eq!(encode("http://example.com/HelloWorld", b"hello world"), b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }

    #[test]
    fn only_what_was_signed_by_a_known_key_is_valid() {
        let key: SigningKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".parse().expect("a key");
        let other: SigningKey = "HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".parse().expect("a key");
        let envelope = key.sign("application/vnd.in-toto+json", b"{}");
        assert_eq!(envelope.verify(&[other.public().clone(), key.public().clone()]), Some(b"{}".to_vec()));
        assert_eq!(envelope.verify(&[other.public().clone()]), None);
        let mut renamed = other.public().clone();
        renamed.kid.clone_from(&key.public().kid);
        let mut forged = other.sign("application/vnd.in-toto+json", b"{}");
        forged.signatures[0].keyid.clone_from(&key.public().kid);
        assert_eq!(forged.verify(&[renamed]), None, "a key that took another's name");
        let mut changed = envelope;
        changed.payload = "e30g".to_owned();
        assert_eq!(changed.verify(&[key.public().clone()]), None);
        assert!("c2hvcnQ=".parse::<SigningKey>().is_err());
    }

    #[test]
    fn keys_and_signatures_are_those_of_the_specification() {
        // RFC 8032, 7.1, test 1; its message is empty, ours is not, so only the key is compared.
        let seed = hex::decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").expect("hex");
        let key: SigningKey = STANDARD.encode(seed).parse().expect("a key");
        let public = hex::decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a").expect("hex");
        assert_eq!(key.public().x, URL_SAFE_NO_PAD.encode(public));
    }

    #[test]
    fn a_signature_or_key_of_another_length_is_refused() {
        let key: SigningKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".parse().expect("a key");
        let envelope = key.sign("text", b"{}");
        let good = STANDARD.decode(&envelope.signatures[0].sig).expect("base64");
        for bad in [&good[..63], &good[..0], &[&good[..], &[0]].concat()] {
            let mut cut = envelope.clone();
            cut.signatures[0].sig = STANDARD.encode(bad);
            assert_eq!(cut.verify(&[key.public().clone()]), None, "{} bytes", bad.len());
        }
        let mut unsigned = envelope.clone();
        unsigned.signatures.clear();
        assert_eq!(unsigned.verify(&[key.public().clone()]), None);
        let short = PublicKey::of(&[1, 2, 3]);
        let mut named = envelope;
        named.signatures[0].keyid.clone_from(&short.kid);
        assert_eq!(named.verify(&[short]), None);
    }
}
