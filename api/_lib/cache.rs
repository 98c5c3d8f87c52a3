//! Values that are cached for a while, by key: many requests need them, and they may be a little old.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub(crate) struct TtlCache<K, V> {
    ttl: Duration,
    values: Mutex<HashMap<K, (Instant, Arc<V>)>>,
}

impl<K: Eq + Hash, V> TtlCache<K, V> {
    pub(crate) fn new(ttl: Duration) -> Self {
        Self { ttl, values: Mutex::default() }
    }

    /// The cached value, if it is not too old.
    pub(crate) fn peek(&self, key: &K) -> Option<Arc<V>> {
        let values = self.values.lock().expect("nobody panics while holding it");
        values.get(key).filter(|(since, _)| since.elapsed() < self.ttl).map(|(_, value)| Arc::clone(value))
    }

    /// The cached value, or the one that `load` returns.
    pub(crate) async fn get_or_load<E>(&self, key: K, load: impl AsyncFnOnce() -> Result<V, E>) -> Result<Arc<V>, E> {
        if let Some(value) = self.peek(&key) {
            return Ok(value);
        }
        let value = Arc::new(load().await?);
        let mut values = self.values.lock().expect("nobody panics while holding it");
        values.retain(|_, (since, _)| since.elapsed() < self.ttl);
        values.insert(key, (Instant::now(), Arc::clone(&value)));
        Ok(value)
    }

    /// Drops a value that was changed here.
    pub(crate) fn invalidate(&self, key: &K) {
        self.values.lock().expect("nobody panics while holding it").remove(key);
    }
}
