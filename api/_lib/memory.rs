//! What is remembered for a while, by key: many ask, and the answer may be a little old.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub(crate) struct Memory<K, V> {
    /// How old an answer may be.
    fresh: Duration,
    kept: Mutex<HashMap<K, (Instant, Arc<V>)>>,
}

impl<K: Eq + Hash, V> Memory<K, V> {
    pub(crate) fn new(fresh: Duration) -> Self {
        Self { fresh, kept: Mutex::default() }
    }

    /// What is remembered.
    pub(crate) fn known(&self, key: &K) -> Option<Arc<V>> {
        let kept = self.kept.lock().expect("nobody panics while holding it");
        kept.get(key).filter(|(since, _)| since.elapsed() < self.fresh).map(|(_, value)| Arc::clone(value))
    }

    /// What is remembered, or what `read` says.
    pub(crate) async fn get<E>(&self, key: K, read: impl AsyncFnOnce() -> Result<V, E>) -> Result<Arc<V>, E> {
        if let Some(value) = self.known(&key) {
            return Ok(value);
        }
        let value = Arc::new(read().await?);
        let mut kept = self.kept.lock().expect("nobody panics while holding it");
        kept.retain(|_, (since, _)| since.elapsed() < self.fresh);
        kept.insert(key, (Instant::now(), Arc::clone(&value)));
        Ok(value)
    }

    /// It was changed here.
    pub(crate) fn forget(&self, key: &K) {
        self.kept.lock().expect("nobody panics while holding it").remove(key);
    }
}
