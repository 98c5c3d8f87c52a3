//! `/api/events`: the event log, page by page and as a stream.

mod feed;
mod hub;
mod page;
mod stream;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
pub(crate) use hub::Hub;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(page::list_events)).routes(routes!(stream::stream_events))
}
