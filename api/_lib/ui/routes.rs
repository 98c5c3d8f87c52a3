//! The routes of the dashboard: pages, which read, in one function; forms beside the routes of the API that they go to.

use axum::Router;
use axum::response::Redirect;
use axum::routing::{get, post};

use super::layers::{signed_in, with_page_headers};
use super::state::Ui;
use super::{artifacts, events, gates, problem, runs, session, system};
use crate::App;

/// All pages, and sign-in.
pub(crate) fn pages(app: &App) -> Router {
    let pages = Router::new()
        .route("/ui", get(async || Redirect::to("/ui/runs")))
        .route("/ui/runs", get(runs::list::show))
        .route("/ui/runs/{id}", get(runs::detail::show))
        .route("/ui/runs/{id}/steps/{step}/log", get(runs::log::show))
        .route("/ui/approvals", get(gates::show))
        .route("/ui/policies", get(gates::policies))
        .route("/ui/artifacts", get(artifacts::show))
        .route("/ui/artifacts/signed", get(artifacts::signed))
        .route("/ui/events", get(events::show))
        .route("/ui/system", get(system::show))
        .route("/ui/session", get(session::show))
        .route("/ui/sign-out", post(session::sign_out))
        .route("/ui/{*path}", get(problem::no_page));
    // Pages do not call the API.
    let ui = Ui::new(app, Router::new());
    with_page_headers(signed_in(pages, &ui).merge(session::routes())).with_state(ui)
}

/// Forms that change gates and their policies.
pub(crate) fn gate_forms() -> Router<Ui> {
    Router::new().route("/ui/approvals/{id}/{decision}", post(gates::decide)).route("/ui/approvals/policies", post(gates::set_policy))
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
