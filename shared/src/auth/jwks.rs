//! The keys that a project publishes (RFC 7517): cached for ten minutes, and fetched again when a token names one that is not among them,
//! so that a rotation is noticed immediately; but at most every two seconds, so that unknown names cost nothing.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
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

fn pick(keys: &JwkSet, name: &str, algorithm: Algorithm) -> Option<DecodingKey> {
    let key = keys.find(name)?;
    let named = key.common.key_algorithm.and_then(|named| named.to_string().parse::<Algorithm>().ok());
    if named.is_some_and(|named| named != algorithm) {
        return None;
    }
    DecodingKey::from_jwk(key).ok()
}
