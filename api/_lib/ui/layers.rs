//! The layers around pages and forms, besides those of the API.

use axum::Router;
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, Version, header};
use axum::middleware::{from_fn, from_fn_with_state};
use tower_http::compression::CompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use super::layout::{HTML, POLICY};
use super::problem;
use super::session::{check_site, require};
use super::state::Ui;

/// The dashboard's layers around all routes: problems of pages become pages, and pages are compressed. In this order: compressed problems
/// could not be read.
pub(crate) fn render_problems(router: Router) -> Router {
    router.layer(from_fn(problem::render_public)).layer(CompressionLayer::new().compress_when(is_page))
}

/// Pages and forms of those who are signed in.
pub(super) fn signed_in(routes: Router<Ui>, ui: &Ui) -> Router<Ui> {
    routes.layer(from_fn_with_state(ui.clone(), problem::render)).layer(from_fn_with_state(ui.clone(), require))
}

pub(super) fn with_page_headers(routes: Router<Ui>) -> Router<Ui> {
    let fixed = |name, value| SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value));
    routes.layer(from_fn(check_site)).layer(fixed(header::CONTENT_SECURITY_POLICY, POLICY)).layer(fixed(header::VARY, "cookie"))
}

fn is_page(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == HTML)
}
