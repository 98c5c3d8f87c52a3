//! The time limit until the head of the response; the body of a stream may continue.

use std::time::Duration;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use nofx_shared::drivers::FUNCTION_TIMEOUT_S;
use nofx_shared::function_calls;
use nofx_shared::problem::{Kind, Problem};

use super::Refusal;

const DEADLINE: Duration = Duration::from_secs(30);
/// Of what executes steps: their time, and that of storing the answer. Less than its `maxDuration` in vercel.json.
const EXECUTING: Duration = Duration::from_secs(FUNCTION_TIMEOUT_S + 10);

pub(super) async fn limit(request: Request, next: Next) -> Response {
    let deadline = if request.uri().path() == function_calls::PATH { EXECUTING } else { DEADLINE };
    let late = || Refusal(Problem::new(Kind::TimedOut, format!("The request timed out after {} s.", deadline.as_secs()))).into_response();
    tokio::time::timeout(deadline, next.run(request)).await.unwrap_or_else(|_| late())
}
