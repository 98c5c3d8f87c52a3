//! A request to a model, as a handler makes it.

use std::time::Duration;

use nofx_shared::crypto::digest;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::task::Task;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModelRequest {
    pub task: Task,
    pub system: Option<String>,
    pub prompt: String,
    /// The response is JSON of this schema.
    pub schema: Option<Value>,
    pub max_tokens: u32,
    /// Timeout of one candidate.
    pub timeout: Duration,
    /// The candidates that the step names.
    pub order: Vec<String>,
}

impl ModelRequest {
    /// The limit of all tokens, for budgets: a token has at least two bytes in any human language.
    pub(super) fn max_total_tokens(&self) -> u64 {
        let bytes = self.prompt.len()
            + self.system.as_ref().map_or(0, String::len)
            + self.schema.as_ref().map_or(0, |schema| schema.to_string().len());
        bytes as u64 / 2 + 64 + u64::from(self.max_tokens)
    }

    /// The same for the same request to the same candidates: the key for replays.
    pub(super) fn hash(&self, candidates: &[String]) -> String {
        let all = json!([self.task.as_str(), self.system, self.prompt, self.schema, self.max_tokens, candidates]);
        digest(all.to_string().as_bytes())
    }
}
