use serde_json::{Value, json};
use uuid::Uuid;

use super::FunctionCall;
use crate::db::{Db, Error};

/// Stores the answer of an execution; false when another execution took its place.
pub async fn finish_function_call(db: &Db, call: &FunctionCall, execution: Uuid, answer: &Value) -> Result<bool, Error> {
    let arguments = json!({"p_step": call.step_id, "p_work_hash": call.work_hash(), "p_execution": execution, "p_answer": answer});
    db.call("finish_function_call", &arguments).await
}
