//! The record of a model call in the database: its cost is reserved before, its result is stored after, with or without a response.

use nofx_shared::db;
use nofx_shared::engine::Failure;
use nofx_shared::models::{self, ModelCallResult, ModelCallStart};
use uuid::Uuid;

use super::caller::ModelCaller;
use super::task::Task;

/// Reserves what the call may cost at most; the run may have its response already, or no budget for it.
pub(super) async fn reserve(
    caller: &ModelCaller<'_>,
    task: Task,
    hash: &str,
    usd: Option<f64>,
    tokens: u64,
) -> Result<ModelCallStart, Failure> {
    let begin = || models::begin_model_call(caller.db, caller.step, hash, task.as_str(), usd, tokens);
    let begun = caller.retry_until_stopped(begin, db::Error::is_permanent).await;
    let begun = begun.map_err(|error| Failure::transient(format!("the model call could not be recorded: {error}")))?;
    begun.ok_or_else(Failure::lease_expired)
}

/// Stores the result of the call.
pub(super) async fn store(caller: &ModelCaller<'_>, id: Uuid, result: &ModelCallResult) -> Result<(), Failure> {
    let end = || models::end_model_call(caller.db, id, result);
    let ended = caller.retry_until_stopped(end, db::Error::is_permanent).await;
    ended.map_err(|error| Failure::transient(format!("the result of the model call could not be recorded: {error}")))
}
