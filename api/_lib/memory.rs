//! What is remembered for a few seconds, by tenant: many ask, and the answer may be a little old.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use uuid::Uuid;

pub(crate) struct Memory<T> {
    kept: Mutex<HashMap<Uuid, (Instant, Arc<T>)>>,
}

impl<T> Default for Memory<T> {
    fn default() -> Self {
        Self { kept: Mutex::default() }
    }
}

impl<T> Memory<T> {
    /// How old an answer may be.
    const FRESH: Duration = Duration::from_secs(5);

    /// What is remembered of a tenant, or what `read` says.
    pub(crate) async fn get<E>(&self, tenant: Uuid, read: impl AsyncFnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        let known = self.kept.lock().expect("nobody panics while holding it").get(&tenant).cloned();
        if let Some((_, value)) = known.filter(|(since, _)| since.elapsed() < Self::FRESH) {
            return Ok(value);
        }
        let value = Arc::new(read().await?);
        let mut kept = self.kept.lock().expect("nobody panics while holding it");
        kept.retain(|_, (since, _)| since.elapsed() < Self::FRESH);
        kept.insert(tenant, (Instant::now(), Arc::clone(&value)));
        Ok(value)
    }

    /// It was changed here.
    pub(crate) fn forget(&self, tenant: Uuid) {
        self.kept.lock().expect("nobody panics while holding it").remove(&tenant);
    }
}
