//! The keys that a project publishes (RFC 7517): cached for ten minutes, and fetched again when a token names one that is not among them,
//! so that a rotation is noticed immediately; but at most every two seconds, so that unknown names cost nothing.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use tokio::sync::OnceCell;

use crate::cache::TtlCache;
use crate::net;

const TTL: Duration = Duration::from_secs(600);
const RETRY_AFTER: Duration = Duration::from_secs(2);
const DEADLINE: Duration = Duration::from_secs(5);

/// The keys could not be fetched.
#[derive(Debug, thiserror::Error)]
#[error("could not read the project's published keys")]
pub struct Unavailable(#[source] reqwest::Error);

pub(super) struct PublishedKeys {
    url: String,
    client: OnceCell<reqwest::Client>,
    cache: TtlCache<(), JwkSet>,
    fetching: tokio::sync::Mutex<()>,
}

impl PublishedKeys {
    pub(super) fn new(url: String) -> Self {
        Self { url, client: OnceCell::new(), cache: TtlCache::new(TTL), fetching: tokio::sync::Mutex::default() }
    }

    /// The key of this name, if it is one of this algorithm.
    pub(super) async fn find(&self, name: &str, algorithm: Algorithm) -> Result<Option<DecodingKey>, Unavailable> {
        if let Some(key) = self.cache.peek(&()).and_then(|keys| pick(&keys, name, algorithm)) {
            return Ok(Some(key));
        }
        // One fetches, the others wait for its result.
        let _turn = self.fetching.lock().await;
        let keys = match self.cache.peek_younger(&(), RETRY_AFTER) {
            Some(keys) => keys,
            None => self.fetch().await?,
        };
        Ok(pick(&keys, name, algorithm))
    }

    async fn fetch(&self) -> Result<Arc<JwkSet>, Unavailable> {
        let client = self.client.get_or_init(|| async { net::client() }).await;
        let fetched = async { client.get(&self.url).timeout(DEADLINE).send().await?.error_for_status()?.json::<JwkSet>().await };
        Ok(self.cache.insert((), fetched.await.map_err(Unavailable)?))
    }
}

/// Keys of different types may share a name (RFC 7517, 4.5). Two that both fit do not say which of them signed: then there is none.
fn pick(keys: &JwkSet, name: &str, algorithm: Algorithm) -> Option<DecodingKey> {
    let mut fitting = keys.keys.iter().filter(|key| key.common.key_id.as_deref() == Some(name) && verifies(key, algorithm));
    let key = fitting.next()?;
    if fitting.next().is_some() {
        return None;
    }
    DecodingKey::from_jwk(key).ok()
}

/// Whether a key is there to verify signatures of this algorithm: by its type, and by what it says of itself.
fn verifies(key: &Jwk, algorithm: Algorithm) -> bool {
    let is_of_type = match (&key.algorithm, algorithm) {
        (AlgorithmParameters::EllipticCurve(key), Algorithm::ES256) => key.curve == EllipticCurve::P256,
        (AlgorithmParameters::RSA(_), Algorithm::RS256) => true,
        _ => false,
    };
    let is_for_algorithm = key.common.key_algorithm.is_none_or(|named| Algorithm::try_from(named).is_ok_and(|named| named == algorithm));
    let is_for_signatures = key.common.public_key_use.as_ref().is_none_or(|named| *named == PublicKeyUse::Signature);
    is_of_type && is_for_algorithm && is_for_signatures
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::Algorithm;
    use jsonwebtoken::jwk::JwkSet;
    use serde_json::{Value, json};

    use super::pick;

    fn set(keys: &[Value]) -> JwkSet {
        serde_json::from_value(json!({"keys": keys})).expect("a set")
    }

    fn ec(more: &Value) -> Value {
        let mut key = json!({"kty": "EC", "crv": "P-256", "kid": "one", "x": "AQ", "y": "Ag"});
        key.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        key
    }

    #[test]
    fn a_key_is_found_by_its_name_among_those_of_the_algorithms_type() {
        let rsa = json!({"kty": "RSA", "kid": "one", "n": "AQ", "e": "AQAB"});
        let keys = set(&[rsa, ec(&json!({})), ec(&json!({"kid": "two"}))]);
        for (name, algorithm) in [("one", Algorithm::RS256), ("one", Algorithm::ES256), ("two", Algorithm::ES256)] {
            assert!(pick(&keys, name, algorithm).is_some(), "{name} {algorithm:?}");
        }
        for (name, algorithm) in [("two", Algorithm::RS256), ("three", Algorithm::ES256), ("one", Algorithm::HS256), ("", Algorithm::ES256)]
        {
            assert!(pick(&keys, name, algorithm).is_none(), "{name} {algorithm:?}");
        }
    }

    #[test]
    fn of_two_keys_with_one_name_neither_is_taken() {
        assert!(pick(&set(&[ec(&json!({})), ec(&json!({"x": "Aw"}))]), "one", Algorithm::ES256).is_none());
    }

    #[test]
    fn a_key_for_something_else_verifies_nothing() {
        let others =
            [json!({"use": "enc"}), json!({"alg": "RS256"}), json!({"alg": "ES999"}), json!({"crv": "P-384"}), json!({"kid": null})];
        for other in others {
            assert!(pick(&set(&[ec(&other)]), "one", Algorithm::ES256).is_none(), "{other}");
        }
        let secret = json!({"kty": "oct", "kid": "one", "k": "c2VjcmV0"});
        for algorithm in [Algorithm::HS256, Algorithm::ES256, Algorithm::RS256] {
            assert!(pick(&set(std::slice::from_ref(&secret)), "one", algorithm).is_none(), "a published secret is none: {algorithm:?}");
        }
        assert!(pick(&set(&[ec(&json!({"use": "sig", "alg": "ES256"}))]), "one", Algorithm::ES256).is_some());
    }
}
