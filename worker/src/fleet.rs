//! What all workers share, as the database knows it: asked when somebody scrapes, and at most every ten seconds.

use std::time::{Duration, Instant};

use nofx_shared::db::Db;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

const FRESH: Duration = Duration::from_secs(10);

pub(crate) struct Fleet(Map<String, Value>);

impl Fleet {
    /// Name and value of each measure.
    pub(crate) fn values(&self) -> impl Iterator<Item = (String, f64)> {
        self.0.iter().filter_map(|(name, value)| Some((name.clone(), value.as_f64()?)))
    }
}

pub(crate) struct Watch {
    db: Db,
    seen: Mutex<Option<(Instant, Fleet)>>,
}

impl Watch {
    pub(crate) fn new(db: Db) -> Self {
        Self { db, seen: Mutex::default() }
    }

    /// Lets `read` see the newest measure; none while the database is away.
    pub(crate) async fn with<T>(&self, read: impl FnOnce(Option<&Fleet>) -> T) -> T {
        let mut seen = self.seen.lock().await;
        if seen.as_ref().is_none_or(|(at, _)| at.elapsed() > FRESH) {
            match self.db.call("queue_metrics", &json!({})).await {
                Ok(fleet) => *seen = Some((Instant::now(), Fleet(fleet))),
                Err(error) => {
                    tracing::warn!(%error, "could not measure the queues for a scrape");
                    *seen = None;
                }
            }
        }
        read(seen.as_ref().map(|(_, fleet)| fleet))
    }
}
