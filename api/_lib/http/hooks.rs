//! Hooks of requests: `pre` is asked before a request that changes something does anything, and may say no; `post` and `error` are told
//! afterwards. A `pre` hook that does not answer in time says no: what must be asked is not skipped.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use nofx_shared::auth::Caller;
use nofx_shared::hooks::{self, Delivery, Hook, RequestHooks, HookPhase, HookTarget};
use nofx_shared::problem::{Kind, Problem};
use serde_json::{Value, json};
use uuid::Uuid;

use super::caller::Identity;
use super::{Background, Refusal, json as body};
use crate::App;

pub(super) async fn ask(State(app): State<App>, request: Request, next: Next) -> Response {
    let is_read = request.method().is_safe();
    let identity = request.extensions().get::<Identity>().and_then(|identity| identity.caller.clone()?.ok());
    // Hooks themselves can always be changed: one that says no to everything must not keep itself.
    let is_about_hooks = request.uri().path().starts_with("/hooks");
    let Some(caller) = identity.filter(|_| !is_read && !is_about_hooks) else { return next.run(request).await };
    let hooks = match app.hooks_of(caller.tenant).await {
        Ok(hooks) => hooks,
        Err(error) => return Refusal::from(error).into_response(),
    };
    if hooks.hooks.is_empty() {
        return next.run(request).await;
    }
    match asked(&app, &caller, &hooks, request).await {
        Ok((request, subject)) => {
            let background = request.extensions().get::<Background>().cloned().unwrap_or_default();
            let response = next.run(request).await;
            let phase = if response.status().is_success() { HookPhase::Post } else { HookPhase::Error };
            tell(&app, &caller, &hooks, phase, subject, response.status().as_u16(), &background).await;
            response
        }
        Err(refusal) => refusal.into_response(),
    }
}

/// Asks every `pre` hook that is for this request; the request, whole again, and what hooks are told of it.
async fn asked(app: &App, caller: &Caller, hooks: &RequestHooks, request: Request) -> Result<(Request, Value), Refusal> {
    let (parts, rest) = request.into_parts();
    let bytes = body::read(Request::from_parts(parts.clone(), rest)).await?;
    let subject = json!({
        "method": parts.method.as_str(), "path": format!("/api{}", parts.uri.path()), "subject": caller.subject, "role": caller.role, "tenantid": caller.tenant,
        "requestid": caller.origin.request_id, "body": serde_json::from_slice::<Value>(&bytes).unwrap_or_default(),
    });
    let wanting = hooks.hooks.iter().filter(|hook| hook.phase == HookPhase::Pre && hooks::matches(&hook.filter, None, Some(&subject)));
    for hook in wanting {
        if let Err(why) = consent(app, caller.tenant, hook, hooks, &subject).await {
            tracing::info!(hook = hook.name, why, "a hook denied the request");
            return Err(Problem::new(Kind::HookDenied, format!("Hook {} denied the request: {why}", hook.name)).into());
        }
    }
    Ok((Request::from_parts(parts, Body::from(bytes)), subject))
}

/// Whether a hook lets a request pass: any 2xx without `"allow": false`.
async fn consent(app: &App, tenant: Uuid, hook: &Hook, hooks: &RequestHooks, subject: &Value) -> Result<(), String> {
    let limit = app.settings().limits.pre_hook;
    let said: Value = match &hook.target {
        HookTarget::Webhook { url } => {
            let (id, body) = (Uuid::now_v7().to_string(), json!({"type": "request.pre", "request": subject}).to_string());
            let said = hooks::post(url, &hooks.networks, &hook.secrets, &id, &body, limit).await?;
            if !(200..300).contains(&said.status) {
                return Err(format!("the hook returned {}", said.status));
            }
            serde_json::from_str(&said.body).unwrap_or_default()
        }
        HookTarget::Function { name } => {
            let arguments = json!({"p_name": name, "p_tenant": tenant, "p_payload": subject});
            let call = app.service_db().call("call_hook_function", &arguments);
            let said = tokio::time::timeout(limit, call).await.map_err(|_| format!("no response within {} s", limit.as_secs()))?;
            said.map_err(|error| error.problem().detail)?
        }
        HookTarget::Slack { .. } | HookTarget::Tool { .. } => return Err("this hook type cannot be a pre hook".to_owned()),
    };
    if said["allow"] == false {
        return Err(said["reason"].as_str().unwrap_or("no reason given").chars().take(500).collect());
    }
    Ok(())
}

/// Notes what `post` and `error` hooks are to be told; workers deliver it.
async fn tell(app: &App, caller: &Caller, hooks: &RequestHooks, phase: HookPhase, mut subject: Value, status: u16, background: &Background) {
    subject["status"] = json!(status);
    let id = Uuid::now_v7();
    let wanting = hooks.hooks.iter().filter(|hook| hook.phase == phase && hooks::matches(&hook.filter, None, Some(&subject)));
    let kind = if phase == HookPhase::Post { "request.post" } else { "request.error" };
    let body = json!({"type": kind, "id": id, "request": subject}).to_string();
    let deliveries: Vec<Delivery> =
        wanting.map(|hook| Delivery { hook_id: hook.id, subject: id.to_string(), body: body.clone(), run_id: None }).collect();
    if deliveries.is_empty() {
        return;
    }
    let (app, tenant) = (app.clone(), caller.tenant);
    background
        .run(async move {
            if let Err(error) = hooks::enqueue_deliveries(app.service_db(), tenant, &deliveries).await {
                tracing::error!(error = &error as &dyn std::error::Error, "could not enqueue the hook deliveries of a request");
            }
        })
        .await;
}
