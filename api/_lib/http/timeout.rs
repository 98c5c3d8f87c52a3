//! The time limit until the head of the response; the body of a stream may continue.

use std::time::Duration;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use nofx_shared::problem::{Kind, Problem};

use super::Refusal;

const DEADLINE: Duration = Duration::from_secs(30);

pub(super) async fn limit(request: Request, next: Next) -> Response {
    let late = || Refusal(Problem::new(Kind::TimedOut, format!("The request took longer than {} s.", DEADLINE.as_secs()))).into_response();
    tokio::time::timeout(DEADLINE, next.run(request)).await.unwrap_or_else(|_| late())
}
