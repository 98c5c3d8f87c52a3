//! Problems as pages, whether routes, extractors or layers refuse.

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use nofx_shared::problem::{Kind, Problem};

use super::forms::Refused;
use super::layout::{Frame, HTML, Icon, POLICY, public_page};
use super::session::Session;
use super::state::Ui;
use crate::http::Refusal;

/// Turns a problem of the API into a page of the session.
pub(super) async fn render(State(ui): State<Ui>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let session = <Session as axum::extract::FromRequestParts<Ui>>::from_request_parts(&mut parts, &ui).await.ok();
    let path = parts.uri.path().to_owned();
    let response = next.run(Request::from_parts(parts, body)).await;
    match session.filter(|_| is_problem(&response)) {
        Some(session) => {
            let frame = Frame::without_data(&ui, session, &path);
            as_page(response, |refused| frame.page(&refused.title, Icon::Failed, &problem_body(refused)).into_string()).await
        }
        None => response,
    }
}

/// Turns a problem that occurs before there is a session into a page: too many requests, a time-out, a panic.
pub(super) async fn render_public(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_page = path == "/ui" || path.starts_with("/ui/");
    let response = next.run(request).await;
    if !is_page || !is_problem(&response) {
        return response;
    }
    let page = |refused: &Refused| public_page(&refused.title, &html! { main.sign-in #main { (problem_body(refused)) } }).into_string();
    let mut response = as_page(response, page).await;
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

fn is_problem(response: &Response) -> bool {
    response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/problem+json")
}

async fn as_page(response: Response, page: impl FnOnce(&Refused) -> String) -> Response {
    let (mut head, body) = response.into_parts();
    let refused: Refused = serde_json::from_slice(&to_bytes(body, 1 << 20).await.unwrap_or_default()).unwrap_or_default();
    head.headers.remove(header::CONTENT_LENGTH);
    head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(HTML));
    (head.status, head.headers, page(&refused)).into_response()
}

fn problem_body(refused: &Refused) -> Markup {
    html! {
        section.empty role="alert" {
            h1 { (refused.title) }
            p { (refused.detail) }
            @if !refused.errors.is_empty() {
                ul { @for fault in &refused.errors { li { code { (fault.pointer) } " " (fault.detail) } } }
            }
            p { a.button href="/ui/runs" { "Back to runs" } }
        }
    }
}

pub(super) async fn no_page() -> Refusal {
    Refusal(Problem::new(Kind::NotFound, "Page not found."))
}
