//! `/realtime/v1`: broadcasts of the database and of REST callers to sockets, in the shapes of Supabase Realtime (Phoenix channels,
//! versions 1.0.0 and 2.0.0). Presence and changes of tables are accepted at the join and never sent.

mod authorise;
mod broadcast;
mod frame;
mod listen;
mod socket;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use serde_json::Value;
use tokio::sync::{broadcast as fan_out, watch};

use crate::project::Project;

/// Messages that a slow socket may be behind before it loses some.
const BACKLOG: usize = 1024;

/// A message to all sockets that joined its topic.
#[derive(Clone, Debug)]
pub(crate) struct Broadcast {
    pub topic: String,
    pub event: String,
    pub payload: Value,
    pub private: bool,
}

/// What all sockets share.
pub(crate) struct Realtime {
    messages: fan_out::Sender<Arc<Broadcast>>,
    /// How many sockets are open; without any, the database is not listened to.
    open: watch::Sender<usize>,
    /// Whether the database is listened to.
    listening: watch::Sender<bool>,
    /// Connection string of the superuser.
    db_url: String,
}

impl Realtime {
    pub(crate) fn open(db_url: String) -> Arc<Self> {
        let realtime =
            Arc::new(Self { messages: fan_out::channel(BACKLOG).0, open: watch::channel(0).0, listening: watch::channel(false).0, db_url });
        tokio::spawn(listen::run(Arc::clone(&realtime)));
        realtime
    }
}

/// Routes that need a project key.
pub(crate) fn keyed_routes() -> Router<Arc<Project>> {
    Router::new()
        .route("/realtime/v1/websocket", get(socket::connect))
        .route("/realtime/v1/api/broadcast", post(broadcast::send_many))
        .route("/realtime/v1/api/broadcast/{topic}/events/{event}", post(broadcast::send_one))
}
