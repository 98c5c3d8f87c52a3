//! A failure as it is sent: `Failure` itself leaves out what only the engine reads, because people see the rest.

use nofx_shared::engine::Failure;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SentFailure {
    message: String,
    transient: bool,
    wait_ms: Option<u64>,
    ignored_by_breaker: bool,
    details: Value,
}

impl From<Failure> for SentFailure {
    fn from(Failure { message, transient, wait_ms, ignored_by_breaker, details }: Failure) -> Self {
        Self { message, transient, wait_ms, ignored_by_breaker, details }
    }
}

impl From<SentFailure> for Failure {
    fn from(SentFailure { message, transient, wait_ms, ignored_by_breaker, details }: SentFailure) -> Self {
        Self { message, transient, wait_ms, ignored_by_breaker, details }
    }
}
