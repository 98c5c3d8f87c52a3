use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::Value;

use crate::engine::ClaimedStep;

/// Executes the work of calls. The worker's handlers do it; the API, which receives calls, knows only this.
pub trait Executor: Send + Sync {
    /// Why it cannot execute this work of a step with this tool.
    fn check(&self, tool: &str, work: &Value) -> Result<(), String>;

    /// Executes the work of a step within `timeout_s` seconds. The answer is what the driver that sent the call reads, without secrets of the
    /// step and without NUL: it is stored.
    fn execute(self: Arc<Self>, step: ClaimedStep, timeout_s: u64, work: Value) -> BoxFuture<'static, Value>;
}
