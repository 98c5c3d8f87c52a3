//! The dashboard: pages of HTML. They read with the API's own functions, and their forms post to the API's own routes (`api_call`), hooks
//! and all. They have no table and no JSON endpoint of their own.
//!
//! Every page works without script; `public/app.js` makes it live.

mod api_call;
mod artifacts;
mod auth;
mod components;
mod events;
mod form;
mod gates;
mod layout;
mod problem;
mod runs;
mod session;
mod sign_in;
mod svg;
mod system;
mod url;

use axum::Router;
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, Version, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Redirect;
use axum::routing::{get, post};
use tower_http::compression::CompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::App;
use auth::Auth;

/// The application, which pages read, and the API's routes in the same function, which forms post to.
#[derive(Clone)]
pub(crate) struct Ui {
    app: App,
    api: Router,
    auth: Auth,
}

/// The `Content-Type` of pages, as `maud` sets it.
const HTML: &str = "text/html; charset=utf-8";

/// Nothing but our own files, no script or style in a page, and forms that go nowhere else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";

impl Ui {
    fn new(app: &App, api: Router) -> Self {
        Self { app: app.clone(), api, auth: Auth::new(app.settings().supabase.clone()) }
    }
}

/// All pages, and sign-in.
pub(crate) fn pages(app: &App) -> Router {
    let pages = Router::new()
        .route("/ui", get(async || Redirect::to("/ui/runs")))
        .route("/ui/runs", get(runs::list::show))
        .route("/ui/runs/{id}", get(runs::detail::show))
        .route("/ui/runs/{id}/steps/{step}/log", get(runs::log::show))
        .route("/ui/approvals", get(gates::show))
        .route("/ui/artifacts", get(artifacts::show))
        .route("/ui/artifacts/signed", get(artifacts::signed))
        .route("/ui/events", get(events::show))
        .route("/ui/system", get(system::show))
        .route("/ui/session", get(session::show))
        .route("/ui/sign-out", post(sign_in::sign_out))
        .route("/ui/{*path}", get(problem::no_page));
    // Pages do not call the API.
    let ui = Ui::new(app, Router::new());
    with_page_headers(signed_in(pages, &ui).merge(sign_in::routes())).with_state(ui)
}

/// Forms that change gates.
pub(crate) fn gate_forms() -> Router<Ui> {
    Router::new().route("/ui/approvals/{id}/{decision}", post(gates::decide))
}

/// Forms that create and control runs, with the page of new runs.
pub(crate) fn run_forms() -> Router<Ui> {
    Router::new()
        .route("/ui/runs/bulk", post(runs::bulk::act))
        .route("/ui/runs/new", get(runs::new::show).post(runs::new::submit))
        .route("/ui/runs/new/check", post(runs::new::check))
        .route("/ui/runs/{id}/{verb}", post(runs::control::control_run))
        .route("/ui/runs/{id}/steps/{step}/retry", post(runs::control::retry_step))
}

/// Forms that close breakers, and requeue or purge dead letters.
pub(crate) fn system_forms() -> Router<Ui> {
    Router::new().route("/ui/system/breakers", post(system::close_breaker)).route("/ui/system/dlq/{verb}", post(system::requeue_or_purge))
}

/// Forms beside the routes of the API that they go to. `api`: those routes, without the prefix.
pub(crate) fn forms(app: &App, api: Router, forms: Router<Ui>) -> Router {
    let ui = Ui::new(app, api);
    with_page_headers(signed_in(forms, &ui)).with_state(ui)
}

/// The dashboard's layers around all routes: problems of pages become pages, and pages are compressed. In this order: compressed problems
/// could not be read.
pub(crate) fn render_problems(router: Router) -> Router {
    router.layer(from_fn(problem::render_public)).layer(CompressionLayer::new().compress_when(is_page))
}

fn is_page(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == HTML)
}

fn signed_in(routes: Router<Ui>, ui: &Ui) -> Router<Ui> {
    routes.layer(from_fn_with_state(ui.clone(), problem::render)).layer(from_fn_with_state(ui.clone(), session::require))
}

fn with_page_headers(routes: Router<Ui>) -> Router<Ui> {
    let fixed = |name, value| SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value));
    routes.layer(from_fn(form::check_site)).layer(fixed(header::CONTENT_SECURITY_POLICY, POLICY)).layer(fixed(header::VARY, "cookie"))
}
