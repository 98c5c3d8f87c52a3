//! `POST /api/webhooks/github`: "Re-run" of a check reruns its gate.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use chrono::Utc;
use nofx_shared::gates;
use nofx_shared::hooks::{WebhookProvider, verify};
use nofx_shared::problem::{Kind, Problem};
use nofx_shared::queue::WakeUp;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::App;
use crate::http::{Body, Refusal, RequestParts};

/// The result.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct GithubWebhookResult {
    /// Gates that run again; empty when the event was ignored.
    rerun_gates: Vec<Uuid>,
}

/// Receive a webhook from GitHub.
///
/// For GitHub, which signs with `GITHUB_WEBHOOK_SECRET` in `X-Hub-Signature-256`. "Re-run" of a check reruns its gate; other events are
/// ignored. Returns the steps whose gates run again.
#[utoipa::path(post, path = "/webhooks/github", request_body = Object, security(("github" = [])),
    responses((status = 200, body = GithubWebhookResult), (status = 404), (status = 409),
        (status = 422)))]
pub(crate) async fn receive_github_webhook(
    State(app): State<App>,
    headers: HeaderMap,
    parts: RequestParts,
    body: Body<Value>,
) -> Result<Json<GithubWebhookResult>, Refusal> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let verified = verify(WebhookProvider::Github, header, &body.bytes, Utc::now().timestamp(), &app.settings().github_webhook_secrets);
    let verified = verified.map_err(|refused| Problem::new(Kind::Unauthorized, format!("The webhook was refused: {refused}.")))?;
    let event = &body.value;
    let repository = event["repository"]["full_name"].as_str().unwrap_or_default();
    let rerun_gates: Vec<Uuid> = match (verified.kind.as_deref().unwrap_or_default(), event["action"].as_str()) {
        ("check_run", Some("rerequested")) => {
            event["check_run"]["external_id"].as_str().and_then(|id| id.parse().ok()).into_iter().collect()
        }
        _ => vec![],
    };
    for step in &rerun_gates {
        let run = gates::rerun_check(app.service_db(), *step, repository).await?;
        if let Some(id) = run["id"].as_str().and_then(|id| id.parse().ok()) {
            app.wake_workers(&parts.background, vec![WakeUp { id, priority: 0, trace: parts.trace.clone() }]).await;
        }
    }
    Ok(Json(GithubWebhookResult { rerun_gates }))
}
