//! Hooks of requests: `pre` hooks run before a request that changes something, and may deny it; `post` and `error` hooks are delivered
//! afterwards. A `pre` hook that does not respond in time denies the request.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use nofx_shared::auth::Caller;
use nofx_shared::hooks::{self, Delivery, Filters, Hook, HookPhase, HookTarget, RequestHooks, Subject};
use nofx_shared::plan::expression::apart;
use nofx_shared::problem::{Kind, Problem};
use serde_json::{Value, json};
use uuid::Uuid;

use super::caller::Identity;
use super::idempotency::with_idempotency;
use super::request_key::RequestKey;
use super::{Refusal, json as body};
use crate::App;

/// How often deliveries are enqueued again when the database does not answer, and the wait before.
const MAX_RETRIES: usize = 3;
const BACKOFF: Duration = Duration::from_millis(100);

/// Routes that change something, behind the request hooks, which are behind the guard of `Idempotency-Key`: a replay calls no hook.
/// (Functions that only read need no CEL, and are smaller.)
pub(crate) fn with_request_hooks(routes: Router<App>, app: &App) -> Router<App> {
    with_idempotency(routes.layer(from_fn_with_state(app.clone(), run_request_hooks)), app)
}

async fn run_request_hooks(State(app): State<App>, request: Request, next: Next) -> Response {
    let is_read = request.method().is_safe();
    let identity = request.extensions().get::<Identity>().and_then(|identity| identity.caller.clone()?.ok());
    // Hooks themselves can always be changed: one that denies everything must not protect itself.
    let is_about_hooks = request.uri().path().starts_with("/hooks");
    let Some(caller) = identity.filter(|_| !is_read && !is_about_hooks) else { return next.run(request).await };
    let hooks = match app.request_hooks(caller.tenant).await {
        Ok(hooks) => hooks,
        Err(error) => return Refusal::from(error).into_response(),
    };
    if hooks.hooks.is_empty() {
        return next.run(request).await;
    }
    let key = RequestKey::of(request.extensions());
    match run_pre_hooks(&app, &caller, &hooks, request, key).await {
        Ok((request, payload)) => {
            let response = next.run(request).await;
            let status = response.status();
            let phase = if status.is_success() { HookPhase::Post } else { HookPhase::Error };
            match enqueue_post_hooks(&app, &caller, &hooks, phase, payload, status.as_u16(), key).await {
                Ok(()) => response,
                Err(refusal) => refusal.into_response(),
            }
        }
        Err(refusal) => refusal.into_response(),
    }
}

/// Runs every `pre` hook that matches. Returns the request, whole again, and its description for hooks.
async fn run_pre_hooks(
    app: &App,
    caller: &Caller,
    hooks: &RequestHooks,
    request: Request,
    key: RequestKey,
) -> Result<(Request, Value), Refusal> {
    let (parts, rest) = request.into_parts();
    let bytes = body::read(Request::from_parts(parts.clone(), rest)).await?;
    let payload = json!({
        "method": parts.method.as_str(), "path": format!("/api{}", parts.uri.path()), "subject": caller.subject, "role": caller.role,
        "tenantid": caller.tenant, "requestid": caller.origin.request_id,
        "body": serde_json::from_slice::<Value>(&bytes).unwrap_or_default(),
    });
    let (matching, payload) = matching(hooks, HookPhase::Pre, payload).await;
    for hook in matching {
        if let Err(why) = allowed_by(app, caller.tenant, &hook, hooks, &payload, key.message("request.pre")).await {
            tracing::info!(hook = hook.name, why, "a hook denied the request");
            return Err(Problem::new(Kind::HookDenied, format!("Hook {} denied the request: {why}", hook.name)).into());
        }
    }
    Ok((Request::from_parts(parts, Body::from(bytes)), payload))
}

/// The hooks of a phase that match a request, and its description again. Filters are evaluated away from the threads that serve requests.
async fn matching(hooks: &RequestHooks, phase: HookPhase, payload: Value) -> (Vec<Hook>, Value) {
    let of_phase: Vec<Hook> = hooks.hooks.iter().filter(|hook| hook.phase == phase).cloned().collect();
    if of_phase.iter().all(|hook| hook.filter.is_empty()) {
        return (of_phase, payload);
    }
    let work = move || {
        let (mut filters, subject) = (Filters::default(), Subject::request(&payload));
        let matching = of_phase.into_iter().filter(|hook| filters.matches(&hook.filter, &subject)).collect();
        (matching, payload)
    };
    apart(work).await
}

/// Whether a hook allows a request: any 2xx without `"allow": false`.
async fn allowed_by(app: &App, tenant: Uuid, hook: &Hook, hooks: &RequestHooks, payload: &Value, id: Uuid) -> Result<(), String> {
    let limit = app.settings().limits.pre_hook;
    let answer: Value = match &hook.target {
        HookTarget::Webhook { url } => {
            let (id, body) = (id.to_string(), json!({"type": "request.pre", "request": payload}).to_string());
            let response = hooks::post(url, &hooks.networks, &hook.secrets, &id, &body, limit).await?;
            if !(200..300).contains(&response.status) {
                return Err(format!("the hook returned {}", response.status));
            }
            serde_json::from_str(&response.body).unwrap_or_default()
        }
        HookTarget::Function { name } => {
            let arguments = json!({"p_name": name, "p_tenant": tenant, "p_payload": payload});
            let call = app.service_db().call("call_hook_function", &arguments);
            let answer = tokio::time::timeout(limit, call).await.map_err(|_| format!("no response within {} s", limit.as_secs()))?;
            answer.map_err(|error| error.problem().detail)?
        }
        HookTarget::Slack { .. } | HookTarget::Tool { .. } => return Err("this hook type cannot be a pre hook".to_owned()),
    };
    if answer["allow"] == false {
        return Err(answer["reason"].as_str().unwrap_or("no reason given").chars().take(500).collect());
    }
    Ok(())
}

/// Enqueues deliveries to the `post` or `error` hooks that match, before the response is sent; workers deliver them. Those of a request that
/// is repeated under its key have the same id, and are enqueued once.
async fn enqueue_post_hooks(
    app: &App,
    caller: &Caller,
    hooks: &RequestHooks,
    phase: HookPhase,
    mut payload: Value,
    status: u16,
    key: RequestKey,
) -> Result<(), Refusal> {
    payload["status"] = json!(status);
    let event = if phase == HookPhase::Post { "request.post" } else { "request.error" };
    let id = key.message(event);
    let (matching, payload) = matching(hooks, phase, payload).await;
    let body = json!({"type": event, "id": id, "request": payload}).to_string();
    let deliveries: Vec<Delivery> =
        matching.iter().map(|hook| Delivery { hook_id: hook.id, dedup_key: id.to_string(), body: body.clone(), run_id: None }).collect();
    if deliveries.is_empty() {
        return Ok(());
    }
    let mut result = hooks::enqueue_deliveries(app.service_db(), caller.tenant, &deliveries).await;
    for _ in 0..MAX_RETRIES {
        if result.is_ok() {
            break;
        }
        tokio::time::sleep(BACKOFF).await;
        result = hooks::enqueue_deliveries(app.service_db(), caller.tenant, &deliveries).await;
    }
    result.map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, status, "could not enqueue the hook deliveries of a request");
        let detail = format!(
            "The request was carried out with status {status}, but the hooks that it has to be told to could not be recorded. Look at what it \
             did; under the same Idempotency-Key it can be repeated."
        );
        Refusal(Problem::new(Kind::Unavailable, detail))
    })
}
