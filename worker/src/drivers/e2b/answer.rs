//! What an answer of E2B's means for the caller.

use std::time::Duration;

use nofx_shared::net::retry_after;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::Value;

use crate::drivers::Fault;

/// Most bytes that are read of a refusal, and shown of it.
const REFUSAL_BYTES: usize = 16 << 10;
const SHOWN: usize = 300;

/// Which part of E2B is called: the same status means something else.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Api,
    /// What the API says of one sandbox.
    OneSandbox,
    /// A sandbox itself, behind E2B's proxy.
    Sandbox,
}

/// Sends a request; an answer that is no success is a fault. `limit` is for the answer's head.
pub(super) async fn send(request: RequestBuilder, part: Part, limit: Duration) -> Result<Response, Fault> {
    let sent = tokio::time::timeout(limit, request.send()).await;
    let response = sent
        .map_err(|_| Fault::Unavailable(format!("E2B gave no answer in {} s", limit.as_secs())))?
        .map_err(|error| no_answer(part, &error))?;
    if response.status().is_success() { Ok(response) } else { Err(refusal(response, part).await) }
}

fn no_answer(part: Part, error: &reqwest::Error) -> Fault {
    let error = chain(error);
    match part {
        Part::Api | Part::OneSandbox => Fault::Unavailable(format!("E2B gave no answer: {error}")),
        Part::Sandbox => Fault::Unavailable(format!("the sandbox gave no answer: {error}")),
    }
}

/// An error with its causes, without the address: what is behind it is the operator's.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source()).map(ToString::to_string).collect::<Vec<_>>();
    if causes.is_empty() { "the connection failed".to_owned() } else { causes.join(": ") }
}

async fn refusal(response: Response, part: Part) -> Fault {
    let (status, after) = (response.status(), retry_after(response.headers()));
    let why = format!("E2B answered {}: {}", status.as_u16(), reason(response).await);
    match (status, part) {
        (StatusCode::TOO_MANY_REQUESTS, _) => Fault::Busy { after, why },
        // The proxy of the sandboxes answers 502 for one that is not there, their API 404.
        (StatusCode::NOT_FOUND | StatusCode::BAD_GATEWAY, Part::Sandbox) | (StatusCode::NOT_FOUND, Part::OneSandbox) => Fault::Gone(why),
        (StatusCode::REQUEST_TIMEOUT, _) => Fault::Unavailable(why),
        (status, _) if status.is_client_error() => Fault::Refused(why),
        _ => Fault::Unavailable(why),
    }
}

/// The `message` of a refusal: `{code, message}`.
async fn reason(mut response: Response) -> String {
    let mut body = vec![];
    while let Ok(Ok(Some(bytes))) = tokio::time::timeout(Duration::from_secs(5), response.chunk()).await {
        let taken = REFUSAL_BYTES.saturating_sub(body.len()).min(bytes.len());
        body.extend_from_slice(&bytes[..taken]);
        if body.len() == REFUSAL_BYTES {
            break;
        }
    }
    let message = serde_json::from_slice::<Value>(&body).ok().and_then(|body| Some(body.get("message")?.as_str()?.to_owned()));
    let text = message.unwrap_or_else(|| String::from_utf8_lossy(&body).into_owned());
    text.chars().filter(|character| !character.is_control()).take(SHOWN).collect()
}
