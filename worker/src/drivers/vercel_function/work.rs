use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::models::ModelRequest;

/// What a function executes. The step's row and its secrets it reads itself.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Work {
    /// All of a tool, with its expressions resolved.
    Tool { inputs: Value, idempotency_key: Option<String> },
    /// A call of a model, of a tool whose other work is the worker's: it has the workspace, and the key that signs artifacts.
    Model(ModelRequest),
}
