//! What all sockets share: the messages, and who listens. Where messages come from is in `listen` and `broadcast`.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::{broadcast as fan_out, watch};
use tokio_util::sync::CancellationToken;

/// Messages that a slow socket may be behind before it loses some.
const BACKLOG: usize = 1024;

/// A message to all sockets that joined its topic.
#[derive(Clone, Debug)]
pub(super) struct Broadcast {
    pub topic: String,
    pub event: String,
    pub payload: Value,
    pub private: bool,
}

/// What all sockets share.
pub(crate) struct Realtime {
    pub(super) messages: fan_out::Sender<Arc<Broadcast>>,
    /// How many sockets are open; without any, the database is not listened to.
    pub(super) open: watch::Sender<usize>,
    /// Whether the database is listened to.
    pub(super) listening: watch::Sender<bool>,
    /// Connection string of the superuser.
    pub(super) db_url: String,
    /// The stack stops: the database is not listened to any more.
    pub(crate) stopping: CancellationToken,
}

impl Realtime {
    /// Without anyone who listens to the database: see `listen`.
    pub(super) fn new(db_url: String) -> Self {
        Self {
            messages: fan_out::channel(BACKLOG).0,
            open: watch::channel(0).0,
            listening: watch::channel(false).0,
            db_url,
            stopping: CancellationToken::new(),
        }
    }
}
