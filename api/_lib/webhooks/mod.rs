//! `/api/webhooks`, what others tell: whoever tells proves it with a signature over the body as it came. And `/api/hooks`, what they are told.

mod deliveries;
mod github;
mod hooks;
mod sources;

use crate::http::{Routes, routes};

pub(super) fn router<R: Routes>() -> R {
    R::default()
        .routes(routes!(github::hear_github))
        .routes(routes!(sources::receive_webhook))
        .routes(routes!(sources::list_sources, sources::set_source))
        .routes(routes!(sources::drop_source))
        .routes(routes!(hooks::list_hooks, hooks::set_hook))
        .routes(routes!(hooks::delete_hook))
        .routes(routes!(deliveries::list_deliveries))
        .routes(routes!(deliveries::replay_delivery))
}
