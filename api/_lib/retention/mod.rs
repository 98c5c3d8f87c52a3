//! `/api/retention`: how long history is kept, and legal holds. Served by the function `system`.

mod holds;
mod settings;

use crate::http::{Routes, routes};

pub(super) fn router<R: Routes>() -> R {
    R::default()
        .routes(routes!(settings::list_retention, settings::set_retention))
        .routes(routes!(holds::list_holds, holds::place_hold))
        .routes(routes!(holds::release_hold))
}
