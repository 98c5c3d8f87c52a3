use std::time::Duration;

use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A call that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    Create,
    List,
    Kill,
    Upload,
    Download,
    /// The start of a program of a step.
    Program,
}

/// How a call fails.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// 429, to retry after so many seconds.
    Busy(u64),
    /// 500, and nothing has happened.
    Fails,
    /// 500, but it has happened.
    Unanswered,
    /// 401.
    UnknownKey,
    /// Answers after so long.
    Slow(Duration),
    /// The answer ends in its middle.
    Cut,
    /// The stream of the program ends as streams do, but without the frame that is the end.
    Unfinished,
    /// The sandbox dies at the first output of the program.
    Dies,
}

/// As E2B writes errors.
pub(super) fn error(status: u16, message: &str) -> Response {
    let status = axum::http::StatusCode::from_u16(status).expect("a status");
    (status, axum::Json(json!({"code": status.as_u16(), "message": message}))).into_response()
}

impl Fault {
    /// The answer, when nothing has happened; none when the call goes on.
    pub(super) async fn refusal(self) -> Option<Response> {
        match self {
            Self::Busy(seconds) => {
                let mut response = error(429, "Rate limit exceeded, please try again later.");
                response.headers_mut().insert("retry-after", seconds.to_string().parse().expect("a header"));
                Some(response)
            }
            Self::Fails => Some(error(500, "internal error")),
            Self::UnknownKey => Some(error(401, "Invalid API key")),
            Self::Slow(time) => {
                tokio::time::sleep(time).await;
                None
            }
            Self::Unanswered | Self::Cut | Self::Unfinished | Self::Dies => None,
        }
    }
}
