use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::FunctionCall;
use crate::db::{Db, Error};
use crate::engine::ClaimedStep;

/// What is to be done with a call.
#[derive(Debug, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum BegunFunctionCall {
    /// It is executed now, for the first time or because an earlier execution ended without an answer.
    Execute {
        /// Names the execution.
        execution: Uuid,
        /// The step as its worker claimed it.
        step: Box<ClaimedStep>,
    },
    /// It was executed, with this answer.
    Answered { answer: Value },
    /// It is being executed.
    UnderWay,
}

/// Begins a call; refused when the attempt holds no valid lease, or the request was received before.
pub async fn begin_function_call(db: &Db, call: &FunctionCall) -> Result<BegunFunctionCall, Error> {
    let attempt = json!({
        "tenant_id": call.tenant_id, "run_id": call.run_id, "step_id": call.step_id, "attempt": call.attempt, "token": call.token,
        "tool": call.tool,
    });
    let arguments = json!({"p_attempt": attempt, "p_nonce": call.nonce, "p_work_hash": call.work_hash(), "p_timeout_s": call.timeout_s});
    db.call("begin_function_call", &arguments).await
}
