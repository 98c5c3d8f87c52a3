//! Which paths need a project key, and which none.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::any;

use super::state::Services;
use super::{api_key, proxy};
use crate::{auth, realtime, storage};

pub(super) fn router(services: Services) -> Router {
    let keyed = Router::new()
        .route("/rest/v1/", any(proxy::rest))
        .route("/rest/v1/{*path}", any(proxy::rest))
        .merge(auth::keyed_routes())
        .merge(storage::keyed_routes())
        .merge(realtime::keyed_routes())
        .layer(from_fn_with_state(Arc::clone(&services.project), api_key::require));
    Router::new().merge(keyed).merge(auth::open_routes()).merge(storage::open_routes()).with_state(services)
}
