use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::future::BoxFuture;
use nofx_shared::db::Db;
use nofx_shared::engine::{ClaimedStep, Failure};
use nofx_shared::function_calls::Executor;
use nofx_shared::secrets::{self, Mask, SecretStore};
use nofx_shared::settings;
use prometheus_client::metrics::histogram::Histogram;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::drivers::{Answer, Executed, Work};
use crate::handlers;
use crate::models::{ModelCaller, ModelRequest, Models, Timings};
use crate::retry::{Backoff, retry_until_stopped};
use crate::step::{Attempt, masked, masked_failure, without_nul};

/// How long work may take to end after its time.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// What executes steps in a function; `service`: the database as the service role.
pub fn function_executor(settings: settings::Function, service: Db) -> Arc<dyn Executor> {
    // No one asks a function for its metrics.
    let unread = || Histogram::new(std::iter::empty());
    Arc::new(FunctionExecutor {
        secrets: SecretStore::new(settings.secrets, service.clone()),
        models: Models::new(settings.models, Timings { routing: unread(), record: unread() }),
        allow_private_addresses: settings.allow_private_addresses,
        db: service,
    })
}

struct FunctionExecutor {
    db: Db,
    secrets: SecretStore,
    models: Models,
    allow_private_addresses: bool,
}

impl Executor for FunctionExecutor {
    fn check(&self, tool: &str, work: &Value) -> Result<(), String> {
        let work: Work = serde_json::from_value(work.clone()).map_err(|error| error.to_string())?;
        match (work, handlers::find_portable(tool)) {
            (Work::Tool { .. }, Some(_)) | (Work::Model(_), None) => Ok(()),
            (Work::Tool { .. }, None) => Err(format!("of `{tool}` a function only calls models")),
            (Work::Model(_), Some(_)) => Err(format!("`{tool}` calls no model")),
        }
    }

    fn execute(self: Arc<Self>, step: ClaimedStep, timeout_s: u64, work: Value) -> BoxFuture<'static, Value> {
        Box::pin(async move {
            let answer = self.answer(step, Duration::from_secs(timeout_s), work).await;
            // Numbers and text only: it cannot fail.
            without_nul(serde_json::to_value(answer).unwrap_or_default())
        })
    }
}

impl FunctionExecutor {
    /// Its time ends it; a panic in it fails the step.
    async fn answer(self: Arc<Self>, step: ClaimedStep, timeout: Duration, work: Value) -> Answer {
        let (stop, breaker_target) = (CancellationToken::new(), Arc::new(OnceLock::new()));
        let running = {
            let (stop, breaker_target) = (stop.clone(), Arc::clone(&breaker_target));
            async move { self.run(&step, work, &stop, &breaker_target).await }
        };
        let mut task = tokio::spawn(running.in_current_span());
        let executed = tokio::select! {
            executed = &mut task => executed.unwrap_or_else(|error| failed(Failure::permanent(format!("the handler failed: {error}")))),
            () = tokio::time::sleep(timeout) => {
                stop.cancel();
                if tokio::time::timeout(STOP_GRACE, &mut task).await.is_err() {
                    task.abort();
                }
                let failure = Failure::transient(format!("timed out after {} s", timeout.as_secs()));
                // A step that calls no target was itself slow.
                Executed::TimedOut(if breaker_target.get().is_some() { failure } else { failure.ignored_by_breaker() }.into())
            }
        };
        Answer { executed, breaker_target: breaker_target.get().cloned() }
    }

    async fn run(&self, step: &ClaimedStep, work: Value, stop: &CancellationToken, breaker_target: &OnceLock<String>) -> Executed {
        if let Err(failure) = step.check_readable() {
            return failed(failure);
        }
        let env = match self.secrets(step, stop).await {
            Ok(env) => env,
            Err(failure) => return failed(failure),
        };
        let mask = Mask::new(env.values().cloned());
        match serde_json::from_value(work) {
            Ok(Work::Tool { inputs, idempotency_key }) => {
                let Some(tool) = handlers::find_portable(&step.tool) else {
                    return failed(Failure::permanent(format!("a function does not execute `{}`", step.tool)));
                };
                let attempt = Attempt {
                    step,
                    env: &env,
                    idempotency_key: idempotency_key.as_deref(),
                    allow_private_addresses: self.allow_private_addresses,
                    breaker_target,
                };
                Executed::of_tool(masked(tool.run_anywhere(&attempt, inputs).await, &mask))
            }
            Ok(Work::Model(request)) => self.ask(step, &request, &mask, stop).await,
            Err(error) => failed(Failure::permanent(format!("the work cannot be read: {error}"))),
        }
    }

    /// The secrets that the step names, by the database's row and not by the call, and no others.
    async fn secrets(&self, step: &ClaimedStep, stop: &CancellationToken) -> Result<BTreeMap<String, String>, Failure> {
        let read = || self.secrets.read(step.tenant_id, &step.spec.secrets);
        let found = retry_until_stopped(stop, Backoff::STEP, read, secrets::Error::is_permanent).await;
        found.map_err(
            |error| if error.is_permanent() { Failure::permanent(error.to_string()) } else { Failure::transient(error.to_string()) },
        )
    }

    async fn ask(&self, step: &ClaimedStep, request: &ModelRequest, mask: &Mask, stop: &CancellationToken) -> Executed {
        let caller = ModelCaller { db: &self.db, secrets: &self.secrets, step, mask, stop };
        match self.models.call(&caller, request).await {
            Ok(mut response) => {
                response.text = mask.apply(&response.text);
                Executed::Responded(response)
            }
            Err(failure) => failed(masked_failure(&failure, mask)),
        }
    }
}

fn failed(failure: Failure) -> Executed {
    Executed::Failed(failure.into())
}
