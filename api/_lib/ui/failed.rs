//! What a page shows that cannot be shown: refusals of verbs and extractors, as HTML.

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use maud::html;
use nofx_shared::problem::{Kind, Problem};

use super::Ui;
use super::act::Refused;
use super::layout::{Frame, Icon};
use super::session::Session;
use crate::http::Refusal;

/// Turns a problem of the API into a page.
pub(super) async fn render(State(ui): State<Ui>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let session = <Session as axum::extract::FromRequestParts<Ui>>::from_request_parts(&mut parts, &ui).await.ok();
    let path = parts.uri.path().to_owned();
    let response = next.run(Request::from_parts(parts, body)).await;
    let is_problem = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/problem+json");
    let Some(session) = session.filter(|_| is_problem) else { return response };
    let (mut head, body) = response.into_parts();
    let refused: Refused = serde_json::from_slice(&to_bytes(body, 1 << 20).await.unwrap_or_default()).unwrap_or_default();
    let frame = Frame::bare(&ui, session, &path);
    let page = frame.page(
        &refused.title,
        Icon::Failed,
        &html! {
            section.empty role="alert" {
                h1 { (refused.title) }
                p { (refused.detail) }
                @if !refused.errors.is_empty() {
                    ul { @for fault in &refused.errors { li { code { (fault.pointer) } " " (fault.detail) } } }
                }
                p { a.button href="/ui/runs" { "To the runs" } }
            }
        },
    );
    head.headers.remove(header::CONTENT_LENGTH);
    head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    (head.status, head.headers, page.into_string()).into_response()
}

pub(super) async fn no_page() -> Refusal {
    Refusal(Problem::new(Kind::NotFound, "There is no such page. The navigation above lists what there is."))
}
