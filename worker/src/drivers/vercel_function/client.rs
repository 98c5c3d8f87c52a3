//! Calls the function. A call whose answer was lost is sent again, newly signed, and gets the answer of the first or waits for it: the
//! function executes the work of an attempt once. It gives up when the function cannot be reached; the step's timeout is its caller's.

use std::sync::LazyLock;
use std::time::Duration;

use chrono::Utc;
use nofx_shared::crypto::FunctionKey;
use nofx_shared::drivers::FUNCTION_TIMEOUT_S;
use nofx_shared::engine::{ClaimedStep, Failure};
use nofx_shared::function_calls::{FUNCTION_CALL_BYTES, FunctionCall, PATH, SIGNATURE_HEADER};
use nofx_shared::net;
use nofx_shared::problem::Kind;
use nofx_shared::settings::FunctionEndpoint;
use nofx_shared::telemetry::TraceParent;
use reqwest::Response;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::answer::Answer;
use super::work::Work;

/// After how many requests that were not answered an attempt fails.
const MAX_FAILURES: u32 = 5;
/// Wait after the first of them; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// Between two questions for an answer that is under way.
const POLL: Duration = Duration::from_secs(1);
/// Longest wait that a function may ask for before the attempt ends and the step's next attempt waits instead.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

pub(crate) struct VercelFunction {
    /// Created with the first call.
    client: LazyLock<reqwest::Client>,
    url: String,
    key: FunctionKey,
}

/// What became of one request.
enum Reply {
    Answered(Box<Answer>),
    /// It is being executed.
    UnderWay,
    /// Another request may be answered; after the wait, if the function named one.
    Unavailable {
        why: String,
        wait: Option<Duration>,
    },
    Refused(Failure),
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ProblemBody {
    r#type: String,
    detail: String,
}

impl VercelFunction {
    pub(crate) fn new(endpoint: &FunctionEndpoint) -> Self {
        Self { client: LazyLock::new(net::client), url: format!("{}{PATH}", endpoint.url), key: endpoint.key.clone() }
    }

    /// After how many seconds a function that executes work of this step ends.
    pub(crate) fn timeout_s(step: &ClaimedStep) -> u64 {
        step.spec.timeout_s.unwrap_or(FUNCTION_TIMEOUT_S).clamp(1, FUNCTION_TIMEOUT_S)
    }

    /// Has the function execute work of a step.
    pub(crate) async fn call(&self, step: &ClaimedStep, trace: Option<&TraceParent>, work: &Work) -> Result<Answer, Failure> {
        let work = serde_json::to_value(work).map_err(|error| Failure::permanent(format!("the work cannot be sent: {error}")))?;
        let (mut failed, mut wait) = (0, FIRST_WAIT);
        loop {
            match self.request(&self.signed(step, work.clone()), trace).await {
                Reply::Answered(answer) => return Ok(*answer),
                Reply::Refused(failure) => return Err(failure),
                Reply::UnderWay => tokio::time::sleep(POLL).await,
                Reply::Unavailable { why, wait: asked } => {
                    failed += 1;
                    if failed == MAX_FAILURES || asked.is_some_and(|asked| asked > LONGEST_WAIT) {
                        let wait_ms = asked.map(|asked| asked.as_millis() as u64);
                        // It says nothing of the tool.
                        return Err(
                            Failure { wait_ms, ..Failure::transient(format!("no answer from the function: {why}")) }.ignored_by_breaker()
                        );
                    }
                    tokio::time::sleep(asked.unwrap_or(wait)).await;
                    wait *= 2;
                }
            }
        }
    }

    /// A new request of the same call.
    fn signed(&self, step: &ClaimedStep, work: Value) -> FunctionCall {
        FunctionCall {
            tenant_id: step.tenant_id,
            run_id: step.run_id,
            step_id: step.id,
            attempt: step.attempt,
            token: step.token,
            tool: step.tool.clone(),
            nonce: Uuid::now_v7(),
            issued_at: Utc::now().timestamp(),
            timeout_s: Self::timeout_s(step),
            work,
        }
    }

    async fn request(&self, call: &FunctionCall, trace: Option<&TraceParent>) -> Reply {
        let body = match serde_json::to_vec(call) {
            Ok(body) if body.len() <= FUNCTION_CALL_BYTES => body,
            Ok(body) => {
                let why =
                    format!("the call is {} bytes, a function takes {FUNCTION_CALL_BYTES}; use the driver worker-container", body.len());
                return Reply::Refused(Failure::permanent(why));
            }
            Err(error) => return Reply::Refused(Failure::permanent(format!("the work cannot be sent: {error}"))),
        };
        let request = self.client.post(&self.url).header(SIGNATURE_HEADER, self.key.sign(&body)).header("content-type", "application/json");
        let request = trace.into_iter().fold(request, |request, trace| request.header("traceparent", trace.to_string()));
        // Longer than the function may take, so that its answer arrives.
        let request = request.body(body).timeout(Duration::from_secs(call.timeout_s + 15));
        match request.send().await {
            Ok(response) => read(response).await,
            Err(error) => Reply::Unavailable { why: error.without_url().to_string(), wait: None },
        }
    }
}

async fn read(mut response: Response) -> Reply {
    let (status, wait) = (response.status(), net::retry_after(response.headers()));
    let mut bytes = vec![];
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() > FUNCTION_CALL_BYTES => {
                let why = format!("the function's answer is larger than {FUNCTION_CALL_BYTES} bytes");
                return Reply::Refused(Failure::permanent(why));
            }
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => return Reply::Unavailable { why: format!("its answer ended early: {}", error.without_url()), wait: None },
        }
    }
    if status.is_success() {
        return match serde_json::from_slice(&bytes) {
            Ok(answer) => Reply::Answered(Box::new(answer)),
            Err(error) => Reply::Refused(Failure::permanent(format!(
                "the function's answer cannot be read: {error}; worker and function must have the same version"
            ))),
        };
    }
    if status.is_redirection() {
        let why = format!("the function answered with a redirect ({status}), which is not followed: set NOFX_FUNCTION_URL to its own URL");
        return Reply::Refused(Failure::permanent(why).ignored_by_breaker());
    }
    let problem: ProblemBody = serde_json::from_slice(&bytes).unwrap_or_default();
    let kind = problem.r#type.rsplit('/').next().and_then(Kind::from_slug);
    match (kind, status.as_u16()) {
        (Some(Kind::RequestInProgress), _) => Reply::UnderWay,
        (Some(Kind::LeaseExpired), _) => Reply::Refused(Failure::lease_expired()),
        (_, 408 | 429 | 500..) => Reply::Unavailable { why: format!("status {status} {}", problem.detail).trim().to_owned(), wait },
        _ => {
            let why = format!("the function refused the call: {status} {}", problem.detail).trim().to_owned();
            Reply::Refused(Failure::permanent(why).ignored_by_breaker())
        }
    }
}

#[cfg(test)]
mod tests;
