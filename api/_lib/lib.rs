//! The HTTP API: one folder per resource, one file per verb. Knows no host, no cloud runtime and no SQL text.

pub mod app;
mod artifacts;
mod events;
mod gates;
mod http;
mod openapi;
mod runs;
mod system;

use axum::Router;
use utoipa_axum::router::OpenApiRouter;

pub use app::App;
pub use openapi::document;

/// The one list of what there is: each entry is a function in the cloud.
fn routers() -> Vec<(&'static str, OpenApiRouter<App>)> {
    vec![
        ("artifacts", artifacts::router()),
        ("events", events::router()),
        ("gates", gates::router()),
        ("runs", runs::router()),
        ("system", system::router()),
    ]
}

/// Everything in one router, for `nofx dev` and tests. The seeds' bare paths (`/runs`, `/gates`, …) answer too.
pub fn app_router(app: &App) -> Router {
    let (api, _) = routers().into_iter().fold(OpenApiRouter::new(), |all, (_, one)| all.merge(one)).split_for_parts();
    let api = api.fallback(http::not_found);
    http::stack(Router::new().nest("/api", api.clone()).fallback_service(api.with_state(app.clone())).with_state(app.clone()), app)
}

/// One function's router: only its own paths.
pub fn function_router(name: &str, app: &App) -> Router {
    let router = routers().into_iter().find(|(one, _)| *one == name).map(|(_, router)| router).unwrap_or_default();
    let (api, _) = router.split_for_parts();
    http::stack(Router::new().nest("/api", api.fallback(http::not_found)).with_state(app.clone()), app)
}
