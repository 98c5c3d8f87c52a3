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
use axum::http::{HeaderValue, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Redirect;
use axum::routing::{get, post};
use tower_http::compression::CompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::App;
use auth::Auth;

/// What pages reach: the application, and its API for what changes something.
#[derive(Clone)]
pub(crate) struct Ui {
    app: App,
    api: Router,
    auth: Auth,
}

/// Nothing but our own files, no script or style in a page, and forms that go nowhere else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";

/// All pages. `api`: the routes of the API, without the prefix.
pub(crate) fn router(app: &App, api: Router) -> Router {
    let ui = Ui { app: app.clone(), api, auth: Auth::new(app.settings().supabase.clone()) };
    let pages = Router::new()
        .route("/ui", get(async || Redirect::to("/ui/runs")))
        .route("/ui/runs", get(runs::list::show))
        .route("/ui/runs/bulk", post(runs::bulk::act))
        .route("/ui/runs/new", get(runs::new::show).post(runs::new::submit))
        .route("/ui/runs/new/check", post(runs::new::check))
        .route("/ui/runs/{id}", get(runs::detail::show))
        .route("/ui/runs/{id}/{verb}", post(runs::steer::steer_run))
        .route("/ui/runs/{id}/steps/{step}/retry", post(runs::steer::retry_step))
        .route("/ui/runs/{id}/steps/{step}/log", get(runs::log::show))
        .route("/ui/approvals", get(approvals::show))
        .route("/ui/approvals/{id}/{decision}", post(approvals::decide))
        .route("/ui/artifacts", get(artifacts::show))
        .route("/ui/artifacts/signed", get(artifacts::signed))
        .route("/ui/events", get(events::show))
        .route("/ui/system", get(system::show))
        .route("/ui/system/breakers", post(system::close_breaker))
        .route("/ui/system/dlq/{verb}", post(system::settle_dead_letters))
        .route("/ui/session", get(session::show))
        .route("/ui/sign-out", post(sign_in::sign_out))
        .route("/ui/{*path}", get(failed::no_page))
        .layer(from_fn_with_state(ui.clone(), failed::render))
        .layer(from_fn_with_state(ui.clone(), session::require));
    let fixed = |name, value| SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value));
    Router::new()
        .merge(pages)
        .merge(sign_in::routes())
        .layer(from_fn(form::check_site))
        .layer(fixed(header::CONTENT_SECURITY_POLICY, POLICY))
        .layer(fixed(header::VARY, "cookie"))
        .layer(CompressionLayer::new())
        .with_state(ui)
}
