//! Values that are cached for a while, by key: many calls need them, and they may be a little old. Only the age limit is here; the caller
//! decides who may load a value, and how many at once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A cache whose values all have the same lifetime. Values that are too old are dropped when another one is stored.
pub struct TtlCache<K, V> {
    ttl: Duration,
    values: Mutex<HashMap<K, (Instant, Arc<V>)>>,
}

impl<K: Eq + Hash, V> TtlCache<K, V> {
    pub fn new(ttl: Duration) -> Self {
        Self { ttl, values: Mutex::default() }
    }

    /// The cached value, if it is not too old.
    pub fn peek(&self, key: &K) -> Option<Arc<V>> {
        self.peek_younger(key, self.ttl)
    }

    /// The cached value, if it is younger than this as well: for what may be missing only because it is new.
    pub fn peek_younger(&self, key: &K, age: Duration) -> Option<Arc<V>> {
        let values = self.values.lock().expect("nobody panics while holding it");
        values.get(key).filter(|(since, _)| since.elapsed() < age.min(self.ttl)).map(|(_, value)| Arc::clone(value))
    }

    /// The cached value, or the one that `load` returns.
    pub async fn get_or_load<E>(&self, key: K, load: impl AsyncFnOnce() -> Result<V, E>) -> Result<Arc<V>, E> {
        match self.peek(&key) {
            Some(value) => Ok(value),
            None => Ok(self.insert(key, load().await?)),
        }
    }

    /// Stores a value that is new now.
    pub fn insert(&self, key: K, value: V) -> Arc<V> {
        let value = Arc::new(value);
        let mut values = self.values.lock().expect("nobody panics while holding it");
        values.retain(|_, (since, _)| since.elapsed() < self.ttl);
        values.insert(key, (Instant::now(), Arc::clone(&value)));
        value
    }

    /// Drops a value that was changed here.
    pub fn invalidate(&self, key: &K) {
        self.values.lock().expect("nobody panics while holding it").remove(key);
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use super::TtlCache;

    #[tokio::test]
    async fn a_value_is_loaded_once_until_it_is_dropped_or_too_old() {
        let cache = TtlCache::new(Duration::from_secs(600));
        let load = async |value: u32| Ok::<u32, Infallible>(value);
        let Ok(first) = cache.get_or_load("a", async || load(1).await).await;
        let Ok(again) = cache.get_or_load("a", async || load(2).await).await;
        assert_eq!((*first, *again), (1, 1));
        assert!(cache.peek_younger(&"a", Duration::ZERO).is_none(), "it is no younger than that");
        assert!(cache.peek(&"b").is_none(), "another key");
        cache.invalidate(&"a");
        assert!(cache.peek(&"a").is_none());

        let gone = TtlCache::new(Duration::ZERO);
        gone.insert("a", 1);
        assert!(gone.peek(&"a").is_none() && gone.peek_younger(&"a", Duration::MAX).is_none(), "the cache's own limit counts too");
    }
}
