//! `POST /api/webhooks/github`: "Re-run" of a check reruns its gate, "Re-run all checks" and "Re-run failed checks" all gates of the commit.
//! GitHub sends `check_run` for the first and `check_suite` for the others, which it does not tell apart, with the action `rerequested`:
//! <https://docs.github.com/en/webhooks/webhook-events-and-payloads#check_suite>.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use chrono::Utc;
use nofx_shared::gates::{self, RerunChecks};
use nofx_shared::hooks::{Verified, WebhookProvider, verify};
use nofx_shared::problem::{Kind, Problem};
use nofx_shared::queue::WakeUp;
use serde::Serialize;
use serde_json::{Value, json};
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
/// For GitHub, which signs with `GITHUB_WEBHOOK_SECRET` in `X-Hub-Signature-256`. "Re-run" of a check reruns its gate, "Re-run all checks"
/// and "Re-run failed checks" all gates of the commit in the runs that failed; other events are ignored. Returns the steps whose gates run
/// again.
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
    let reruns = match event["action"].as_str() {
        Some("rerequested") => rerun_once(&app, &verified, event).await?,
        _ => vec![],
    };
    let wake_ups: Vec<WakeUp> = reruns.iter().map(|rerun| WakeUp { id: rerun.run_id, priority: 0, trace: parts.trace.clone() }).collect();
    if !wake_ups.is_empty() {
        app.wake_workers(&parts.background, wake_ups).await;
    }
    Ok(Json(GithubWebhookResult { rerun_gates: reruns.into_iter().flat_map(|rerun| rerun.step_ids).collect() }))
}

/// Once for what was signed: a replay runs nothing. What failed may be delivered again.
async fn rerun_once(app: &App, verified: &Verified, event: &Value) -> Result<Vec<RerunChecks>, Refusal> {
    let (db, digest) = (app.service_db(), json!({"p_digest": verified.id}));
    if !db.call::<_, bool>("receive_github_webhook", &digest).await? {
        return Ok(vec![]);
    }
    let reruns = match verified.kind.as_deref() {
        Some("check_run") => rerun_check(app, event).await,
        Some("check_suite") => rerun_suite(app, event).await,
        _ => Ok(vec![]),
    };
    if reruns.as_ref().map_or(true, Vec::is_empty) {
        db.call::<_, ()>("forget_github_webhook", &digest).await?;
    }
    reruns
}

/// A check that is not ours has another form of `external_id`, or none.
async fn rerun_check(app: &App, event: &Value) -> Result<Vec<RerunChecks>, Refusal> {
    let check = &event["check_run"];
    let Some(step) = check["external_id"].as_str().and_then(|id| id.parse::<Uuid>().ok()) else { return Ok(vec![]) };
    let run_id = gates::rerun_check(app.service_db(), step, repository(event), app_id(check)).await?;
    Ok(vec![RerunChecks { run_id, step_ids: vec![step] }])
}

async fn rerun_suite(app: &App, event: &Value) -> Result<Vec<RerunChecks>, Refusal> {
    let suite = &event["check_suite"];
    let head_sha = suite["head_sha"].as_str().unwrap_or_default();
    Ok(gates::rerun_checks(app.service_db(), repository(event), head_sha, app_id(suite)).await?)
}

/// `owner/name`; no check has an empty one.
fn repository(event: &Value) -> &str {
    event["repository"]["full_name"].as_str().unwrap_or_default()
}

/// The App that shows a check or a suite; none has 0.
fn app_id(of: &Value) -> u64 {
    of["app"]["id"].as_u64().filter(|id| i64::try_from(*id).is_ok()).unwrap_or_default()
}
