//! `/api/webhooks`: what others tell. Whoever tells proves it with a signature over the body as it came.

mod github;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(github::hear_github))
}
