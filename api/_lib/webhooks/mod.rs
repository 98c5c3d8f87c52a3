//! `/api/webhooks`, which others send: each proves its sender with a signature over the body as it came. And `/api/hooks`,
//! which NOFX calls.

mod deliveries;
mod github;
mod hooks;
mod sources;

use crate::http::{Routes, routes};

pub(super) fn router<R: Routes>() -> R {
    R::default()
        .routes(routes!(github::receive_github_webhook))
        .routes(routes!(sources::receive_webhook))
        .routes(routes!(sources::list_webhook_sources, sources::set_webhook_source))
        .routes(routes!(sources::delete_webhook_source))
        .routes(routes!(hooks::list_hooks, hooks::set_hook))
        .routes(routes!(hooks::delete_hook))
        .routes(routes!(deliveries::list_deliveries))
        .routes(routes!(deliveries::replay_delivery))
}
