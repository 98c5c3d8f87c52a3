//! `/api/events`: the event log, page by page and as a stream.

mod page;
mod stream;

use crate::http::{Routes, routes};

pub(super) fn router<R: Routes>() -> R {
    R::default().routes(routes!(page::list_events)).routes(routes!(stream::stream_events))
}
