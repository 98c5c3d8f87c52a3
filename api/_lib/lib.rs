//! The HTTP API: one folder per resource, one file per verb. Knows no host, no cloud runtime and no SQL text.

pub mod app;
mod artifacts;
mod events;
mod gates;
mod http;
mod memory;
mod openapi;
mod runs;
mod system;
mod ui;
mod webhooks;

use axum::Router;
use utoipa_axum::router::OpenApiRouter;

pub use app::App;
pub use http::{Background, ClientAddress};
pub use openapi::document;

/// The one list of what there is: each line is a function in the cloud.
fn routers() -> Vec<OpenApiRouter<App>> {
    vec![artifacts::router(), events::router(), gates::router(), runs::router(), system::router(), webhooks::router()]
}

/// Everything in one router, for `nofx dev`, Lambda and tests.
pub fn app_router(app: &App) -> Router {
    let api = api(http::asking(routers().into_iter().fold(OpenApiRouter::new(), OpenApiRouter::merge), app));
    let pages = ui::router(app, api.clone().with_state(app.clone()));
    http::stack(with_bare_paths(api, app).merge(pages), app)
}

/// The function of the dashboard. Its forms go to the API's routes: those that they need are in it too.
pub fn ui(app: &App) -> Router {
    let health = api(system::health_router());
    let api = api(http::asking(gates::router().merge(runs::router()).merge(system::router()), app));
    http::stack(with_bare_paths(health, app).merge(ui::router(app, api.with_state(app.clone()))), app)
}

macro_rules! functions {
    (reading: $($reading:ident)* ; writing: $($name:ident)*) => {$(
        /// One function that only reads: its own paths, and `/api/health`.
        pub fn $reading(app: &App) -> Router {
            assemble($reading::router().merge(system::health_router()), app)
        }
    )* $(
        /// One function: its own paths, and `/api/health`, which tells that it starts. A function of its own for each, so that a
        /// binary holds the code of its routes only.
        pub fn $name(app: &App) -> Router {
            assemble(http::asking($name::router().merge(system::health_router()), app), app)
        }
    )*};
}

functions! { reading: artifacts events; writing: gates runs webhooks }

/// The function of what the API says of itself.
pub fn system(app: &App) -> Router {
    assemble(http::asking(system::router(), app), app)
}

fn assemble(routes: OpenApiRouter<App>, app: &App) -> Router {
    http::stack(with_bare_paths(api(routes), app), app)
}

fn api(routes: OpenApiRouter<App>) -> Router<App> {
    let (api, _) = routes.split_for_parts();
    api.fallback(http::not_found)
}

/// The seeds' bare paths (`/runs`, `/gates`, …) answer too.
fn with_bare_paths(api: Router<App>, app: &App) -> Router {
    Router::new().nest("/api", api.clone()).fallback_service(api.with_state(app.clone())).with_state(app.clone())
}
