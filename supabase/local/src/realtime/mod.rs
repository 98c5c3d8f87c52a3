//! `/realtime/v1`: broadcasts of the database and of REST callers to sockets, in the shapes of Supabase Realtime (Phoenix channels,
//! versions 1.0.0 and 2.0.0). Presence and changes of tables are accepted at the join and never sent.

mod authorise;
mod broadcast;
mod frame;
mod hub;
mod listen;
mod socket;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::{get, post};

use crate::project::Project;
pub(crate) use hub::Realtime;

/// Routes behind the `apikey` check.
pub(crate) fn keyed_routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Arc<Project>: FromRef<S>,
    Arc<Realtime>: FromRef<S>,
{
    Router::new()
        .route("/realtime/v1/websocket", get(socket::connect))
        .route("/realtime/v1/api/broadcast", post(broadcast::send_many))
        .route("/realtime/v1/api/broadcast/{topic}/events/{event}", post(broadcast::send_one))
}
