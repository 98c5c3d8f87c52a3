//! Tells whoever follows the event log that something may have been written: by NOTIFY over a direct connection, or by Supabase
//! Realtime. A call is a hint and may be lost; the log is read with a cursor (`read_events`), which misses nothing.

mod postgres;
mod realtime;

use tokio::sync::{OnceCell, watch};
use uuid::Uuid;

use crate::auth::{self, Role};
use crate::settings;

/// The way of the settings.
pub struct Bus {
    supabase: settings::Supabase,
    listener: OnceCell<watch::Receiver<u64>>,
}

impl Bus {
    /// Connects when the first follower comes.
    pub fn new(supabase: settings::Supabase) -> Self {
        Self { supabase, listener: OnceCell::new() }
    }

    /// Counts up whenever something may have been written for a tenant, for as long as the receiver is held.
    pub async fn follow(&self, tenant: Uuid) -> watch::Receiver<u64> {
        match &self.supabase.db_url {
            Some(db_url) => self.listener.get_or_init(|| async { postgres::listen(db_url.clone()) }).await.clone(),
            None => realtime::listen(self.supabase.clone(), tenant),
        }
    }
}

/// A token that reads what a tenant has, for five minutes.
pub fn viewer_token(supabase: &settings::Supabase, tenant: Uuid) -> String {
    auth::sign_for(&supabase.jwt_secret, "feed", tenant, Role::Viewer, 300)
}
