//! One feed for each tenant, shared by all its streams. A feed reads the log when new events are announced, and also once a second.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use nofx_shared::auth::{Caller, Sessions};
use nofx_shared::db::{self, Db};
use nofx_shared::events::{EventBus, EventRow};
use nofx_shared::problem::Problem;
use nofx_shared::settings;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::credential::{CHECK_EVERY, Credential, Known, OpenStream, OpenStreams};
use super::feed::{self, FeedSource};

pub(crate) struct Hub {
    source: FeedSource,
    bus: EventBus,
    feeds: Mutex<HashMap<Uuid, broadcast::Sender<Arc<EventRow>>>>,
    /// The process is about to end: feeds end, too.
    closing: CancellationToken,
    open: Arc<OpenStreams>,
    known: Arc<Known>,
    sessions: Arc<Sessions>,
}

impl Hub {
    pub(crate) fn new(settings: &settings::Api, service: Db, sessions: Arc<Sessions>, closing: CancellationToken) -> Self {
        let jwt_secret = settings.jwt_secret.clone();
        let bus = EventBus::new(settings.supabase.clone(), jwt_secret.clone(), settings.queue.clone());
        Self {
            bus,
            source: FeedSource { service, jwt_secret },
            feeds: Mutex::default(),
            closing,
            open: Arc::default(),
            known: Arc::new(Known::new(CHECK_EVERY / 2)),
            sessions,
        }
    }

    /// Counts a stream of a caller, until what is returned is dropped; refused when the caller has too many.
    pub(crate) fn open(&self, caller: &Caller) -> Result<OpenStream, Problem> {
        self.open.open(caller)
    }

    /// The caller's credential, to be checked while a stream is open.
    pub(crate) fn credential(&self, caller: &Caller) -> Credential {
        Credential::of(caller, &self.source.service, &self.known, &self.sessions)
    }

    /// Everything that is written for a tenant from now on.
    pub(crate) async fn subscribe(self: &Arc<Self>, tenant: Uuid) -> Result<broadcast::Receiver<Arc<EventRow>>, db::Error> {
        let known = self.feeds.lock().expect("nobody panics while holding it").get(&tenant).map(broadcast::Sender::subscribe);
        if let Some(receiver) = known {
            return Ok(receiver);
        }
        let mut written = self.bus.follow(tenant).await;
        // Read before the stream is open: a feed that read it later would miss what is written meanwhile.
        let mut cursor = feed::tail(&self.source.viewer(tenant)).await?;
        let mut feeds = self.feeds.lock().expect("nobody panics while holding it");
        // Another request may have started the feed meanwhile.
        if let Some(feed) = feeds.get(&tenant) {
            return Ok(feed.subscribe());
        }
        let (sender, receiver) = broadcast::channel(4096);
        feeds.insert(tenant, sender.clone());
        let hub = Arc::clone(self);
        tokio::spawn(async move {
            let feeding = async {
                loop {
                    cursor = feed::run(&hub.source, tenant, &sender, &mut written, cursor).await;
                    if hub.close(tenant, &sender) {
                        return;
                    }
                }
            };
            tokio::select! { () = feeding => {}, () = hub.closing.cancelled() => {} }
        });
        Ok(receiver)
    }

    /// Removes a feed without streams; false when one was opened meanwhile.
    fn close(&self, tenant: Uuid, feed: &broadcast::Sender<Arc<EventRow>>) -> bool {
        let mut feeds = self.feeds.lock().expect("nobody panics while holding it");
        if feed.receiver_count() > 0 {
            return false;
        }
        feeds.remove(&tenant);
        true
    }
}
