//! The dashboard: pages of HTML. What they show is read by the API's own verbs; what forms ask for goes through the API's own routes
//! (`act`), hooks and all. Knows no table that the API does not know, and no JSON endpoint of its own.
//!
//! Every page works without script; `public/app.js` makes it live.

mod act;
mod approvals;
mod artifacts;
mod auth;
mod components;
mod events;
mod failed;
mod form;
mod layout;
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

/// What pages reach: the application; and what forms reach: the API's routes in the same function.
#[derive(Clone)]
pub(crate) struct Ui {
    app: App,
    api: Router,
    auth: Auth,
}

/// What a page's `Content-Type` is, as `maud` says it.
const HTML: &str = "text/html; charset=utf-8";

/// Nothing but our own files, no script or style in a page, and forms that go nowhere else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";

impl Ui {
    fn new(app: &App, api: Router) -> Self {
        Self { app: app.clone(), api, auth: Auth::new(app.settings().supabase.clone()) }
    }
}

/// All pages, and the way in.
pub(crate) fn pages(app: &App) -> Router {
    let pages = Router::new()
        .route("/ui", get(async || Redirect::to("/ui/runs")))
        .route("/ui/runs", get(runs::list::show))
        .route("/ui/runs/{id}", get(runs::detail::show))
        .route("/ui/runs/{id}/steps/{step}/log", get(runs::log::show))
        .route("/ui/approvals", get(approvals::show))
        .route("/ui/artifacts", get(artifacts::show))
        .route("/ui/artifacts/signed", get(artifacts::signed))
        .route("/ui/events", get(events::show))
        .route("/ui/system", get(system::show))
        .route("/ui/session", get(session::show))
        .route("/ui/sign-out", post(sign_in::sign_out))
        .route("/ui/{*path}", get(failed::no_page));
    // They ask nothing of the API.
    let ui = Ui::new(app, Router::new());
    dress(signed_in(pages, &ui).merge(sign_in::routes())).with_state(ui)
}

/// Forms that change gates.
pub(crate) fn forms_of_gates() -> Router<Ui> {
    Router::new().route("/ui/approvals/{id}/{decision}", post(approvals::decide))
}

/// Forms that make and steer runs, with the pages that they are on when a run is made.
pub(crate) fn forms_of_runs() -> Router<Ui> {
    Router::new()
        .route("/ui/runs/bulk", post(runs::bulk::act))
        .route("/ui/runs/new", get(runs::new::show).post(runs::new::submit))
        .route("/ui/runs/new/check", post(runs::new::check))
        .route("/ui/runs/{id}/{verb}", post(runs::steer::steer_run))
        .route("/ui/runs/{id}/steps/{step}/retry", post(runs::steer::retry_step))
}

/// Forms that close breakers and settle dead letters.
pub(crate) fn forms_of_the_system() -> Router<Ui> {
    Router::new()
        .route("/ui/system/breakers", post(system::close_breaker))
        .route("/ui/system/dlq/{verb}", post(system::settle_dead_letters))
}

/// Forms beside the routes of the API that they go to. `api`: those routes, without the prefix.
pub(crate) fn forms(app: &App, api: Router, forms: Router<Ui>) -> Router {
    let ui = Ui::new(app, api);
    dress(signed_in(forms, &ui)).with_state(ui)
}

/// The dashboard's part in everything that a request passes: nobody who looks at pages is shown JSON, and pages go out compressed.
/// In this order: what is compressed cannot be read any more.
pub(crate) fn in_words(router: Router) -> Router {
    router.layer(from_fn(failed::render_bare)).layer(CompressionLayer::new().compress_when(is_page))
}

fn is_page(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == HTML)
}

fn signed_in(routes: Router<Ui>, ui: &Ui) -> Router<Ui> {
    routes.layer(from_fn_with_state(ui.clone(), failed::render)).layer(from_fn_with_state(ui.clone(), session::require))
}

fn dress(routes: Router<Ui>) -> Router<Ui> {
    let fixed = |name, value| SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value));
    routes.layer(from_fn(form::check_site)).layer(fixed(header::CONTENT_SECURITY_POLICY, POLICY)).layer(fixed(header::VARY, "cookie"))
}
