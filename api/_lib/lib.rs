//! The HTTP API: one folder per resource, one file per verb. Knows no host, no cloud runtime and no SQL text.

mod access;
pub mod app;
mod artifacts;
mod background;
mod events;
mod feeds;
mod gates;
mod http;
mod internal;
mod layered;
#[cfg(test)]
mod openapi;
mod public_files;
mod retention;
mod runs;
mod system;
mod ui;
mod webhooks;

use axum::Router;

pub use app::App;
pub use background::Background;
pub use http::ClientAddress;
use http::Routes;
pub use public_files::with_public_files;

/// The one list of routers, by name: each is a function in the cloud, and a tag of the description.
fn routers<R: Routes>() -> [(&'static str, R); 9] {
    [
        ("access", access::router()),
        ("artifacts", artifacts::router()),
        ("events", events::router()),
        ("gates", gates::router()),
        ("internal", internal::router()),
        ("retention", retention::router()),
        ("runs", runs::router()),
        ("system", system::router()),
        ("webhooks", webhooks::router()),
    ]
}

fn routes<R: Routes>() -> R {
    all(routers().map(|(_, router)| router))
}

/// Everything in one router, for `nofx dev`, Lambda and tests.
pub fn app_router(app: &App) -> Router {
    let forms = ui::gate_forms().merge(ui::run_forms()).merge(ui::system_forms());
    serve(with_forms(routes(), forms, app).merge(ui::pages(app)), app)
}

// The functions: each has its paths, the dashboard's forms that post to them, and `/api/health`, which shows that it starts. Each is a
// Rust function of its own, so that a binary holds the code of its routes only.

pub fn artifacts(app: &App) -> Router {
    http::layers(with_bare_paths(with_health(artifacts::router()), app), app)
}

pub fn events(app: &App) -> Router {
    http::layers(with_bare_paths(with_health(events::router()), app), app)
}

pub fn gates(app: &App) -> Router {
    serve(with_forms(with_health(gates::router()), ui::gate_forms(), app), app)
}

/// What only other parts of NOFX call. Its app has an executor.
pub fn internal(app: &App) -> Router {
    http::layers(with_bare_paths(http::with_idempotency(with_health(internal::router()), app), app), app)
}

pub fn runs(app: &App) -> Router {
    serve(with_forms(with_health(runs::router()), ui::run_forms(), app), app)
}

pub fn system(app: &App) -> Router {
    serve(with_forms(all([system::router(), access::router(), retention::router()]), ui::system_forms(), app), app)
}

/// The dashboard's pages, which read.
pub fn ui(app: &App) -> Router {
    serve(with_bare_paths(system::health_router(), app).merge(ui::pages(app)), app)
}

pub fn webhooks(app: &App) -> Router {
    http::layers(with_bare_paths(http::with_request_hooks(with_health(webhooks::router()), app), app), app)
}

fn all<R: Routes>(routers: impl IntoIterator<Item = R>) -> R {
    routers.into_iter().fold(R::default(), R::and)
}

/// Behind all layers that a request passes; problems of pages become pages.
fn serve(router: Router, app: &App) -> Router {
    ui::render_problems(http::layers(router, app))
}

fn with_health(routes: Router<App>) -> Router<App> {
    routes.merge(system::health_router::<Router<App>>())
}

fn with_forms(routes: Router<App>, forms: Router<ui::Ui>, app: &App) -> Router {
    let api = http::with_request_hooks(routes, app);
    let forms = ui::forms(app, api.clone().with_state(app.clone()), forms);
    with_bare_paths(api, app).merge(forms)
}

/// The seeds' bare paths (`/runs`, `/gates`, …) answer too.
fn with_bare_paths(routes: Router<App>, app: &App) -> Router {
    let api = routes.fallback(http::not_found);
    Router::new().nest("/api", api.clone()).fallback_service(api.with_state(app.clone())).with_state(app.clone())
}
