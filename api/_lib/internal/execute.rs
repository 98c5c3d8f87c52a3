//! `POST /api/internal/execute`: executes the work of a step for a worker, which settles it (driver `vercel-function`). What is executed is
//! the executor's; here a call is verified, begun, executed once and answered.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use chrono::Utc;
use nofx_shared::crypto::FunctionKey;
use nofx_shared::drivers::{Driver, FUNCTION_TIMEOUT_S};
use nofx_shared::engine::ClaimedStep;
use nofx_shared::function_calls::{self, BegunFunctionCall, Executor, FunctionCall, SIGNATURE_HEADER};
use nofx_shared::problem::{Kind, Problem};
use serde_json::Value;
use tokio::sync::oneshot;
use tracing::Instrument;
use uuid::Uuid;

use crate::http::{RawBody, Refusal, parse};
use crate::{App, Background};

/// Execute the work of a step.
///
/// For workers, which sign the body with `NOFX_FUNCTION_KEY`; valid for a minute, and once. Executes the tools that run no program and need
/// no workspace, and calls of models, for an attempt whose lease is valid. The same work of an attempt is executed once: a repeated
/// call gets the first answer, or 409 while it is under way. Returns what the worker settles.
#[utoipa::path(post, path = "/internal/execute", request_body = Object, security(("function" = [])),
    responses((status = 200, body = Object, description = "What the worker settles."), (status = 403), (status = 404), (status = 409),
        (status = 422)))]
pub(crate) async fn execute_work(
    State(app): State<App>,
    background: Background,
    headers: HeaderMap,
    body: RawBody,
) -> Result<Json<Value>, Refusal> {
    let call = verified(&app, &headers, &body.0)?;
    let Some(executor) = app.executor() else {
        return Err(Problem::new(Kind::NotFound, "This host executes no steps; call the deployment's function.").into());
    };
    check(&call, executor.as_ref())?;
    match function_calls::begin_function_call(app.service_db(), &call).await? {
        BegunFunctionCall::Answered { answer } => Ok(Json(answer)),
        BegunFunctionCall::UnderWay => {
            let under_way = Problem::new(Kind::RequestInProgress, "This work is being executed; ask again in a moment.");
            Err(Problem { retry_after_s: Some(1), ..under_way }.into())
        }
        BegunFunctionCall::Execute { step, .. } if step.hold.is_some() || step.driver() != Driver::VercelFunction => {
            Err(Problem::new(Kind::Forbidden, "The step may not run here now: a policy holds it, or its driver is another one.").into())
        }
        BegunFunctionCall::Execute { execution, step } => {
            let executor = Arc::clone(executor);
            execute(app.clone(), executor, call, execution, *step, &background).await.map(Json)
        }
    }
}

/// The call, if a worker signed it a moment ago.
fn verified(app: &App, headers: &HeaderMap, body: &[u8]) -> Result<FunctionCall, Problem> {
    let signature = headers.get(SIGNATURE_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !FunctionKey::is_signed(&app.settings().function_keys, body, signature) {
        let detail = format!("Only workers call this: sign the body with NOFX_FUNCTION_KEY in `{SIGNATURE_HEADER}`.");
        return Err(Problem::new(Kind::Unauthorized, detail));
    }
    let call: FunctionCall = parse(body)?;
    if !call.is_current(Utc::now().timestamp()) {
        let detail = "The call is older than a minute, or its clock is ahead: sign a new one, and set the clocks of workers and function.";
        return Err(Problem::new(Kind::Unauthorized, detail));
    }
    Ok(call)
}

/// Whether the function executes such work at all. The database checks the rest.
fn check(call: &FunctionCall, executor: &dyn Executor) -> Result<(), Problem> {
    let refuse = |why: String| Err(Problem::new(Kind::InvalidPlan, why));
    if !Driver::VercelFunction.takes(&call.tool) {
        return refuse(format!("{} does not run `{}`.", Driver::VercelFunction, call.tool));
    }
    if !(1..=FUNCTION_TIMEOUT_S).contains(&call.timeout_s) {
        return refuse(format!("`timeout_s` must be 1 to {FUNCTION_TIMEOUT_S}, not {}.", call.timeout_s));
    }
    executor.check(&call.tool, &call.work).or_else(|why| refuse(format!("`work`: {why}.")))
}

/// Executes it and stores the answer, also when the caller is no longer there: whoever calls next gets it.
async fn execute(
    app: App,
    executor: Arc<dyn Executor>,
    call: FunctionCall,
    execution: Uuid,
    step: ClaimedStep,
    background: &Background,
) -> Result<Value, Refusal> {
    let (send, receive) = oneshot::channel();
    let work = async move {
        let answer = executor.execute(step, call.timeout_s, call.work.clone()).await;
        let stored = function_calls::finish_function_call(app.service_db(), &call, execution, &answer).await;
        if let Err(error) = stored {
            // The caller gets it all the same; a caller that is gone will have it executed again.
            tracing::error!(error = &error as &dyn std::error::Error, step = %call.step_id, "could not store the answer of a call");
        }
        drop(send.send(answer));
    };
    // A task of its own: this one ends with the connection.
    let executing = tokio::spawn(work.in_current_span());
    background.run(async move { drop(executing.await) }).await;
    Ok(receive
        .await
        .map_err(|_| Problem::new(Kind::Internal, "The work ended without an answer. Quote the request id when you report it."))?)
}
