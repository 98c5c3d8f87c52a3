//! `POST /api/runs`

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use nofx_shared::auth::Caller;
use nofx_shared::containment::OpenBreakers;
use nofx_shared::engine::{self, CreatedRun};
use nofx_shared::plan::{self, Plan};
use nofx_shared::problem::{Kind, Problem};
use nofx_shared::queue::WakeUp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::checked::{CheckedPlan, checked};
use crate::App;
use crate::http::{Authenticated, Body, Params, Refusal, RequestKey, RequestParts};

/// A plan, as JSON or as YAML text; or a prompt, from which a model makes one.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateRun {
    /// The plan; its schema is at /api/schemas/plan.json.
    #[schema(value_type = Option<Object>)]
    plan: Option<Value>,
    /// The plan as YAML text.
    plan_yaml: Option<String>,
    /// The task, in words: a model makes a plan from it, which runs once someone has approved it (`plan:submit`).
    prompt: Option<String>,
    /// With `prompt`: whether the work must pass gates.
    #[serde(default)]
    quality: bool,
    /// With `prompt`: whether the plan ends with a pull request.
    #[serde(default)]
    open_pr: bool,
    /// With `prompt`: the repository to work on.
    #[schema(value_type = Option<Object>)]
    workspace: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
pub(crate) struct Options {
    #[serde(default)]
    dry_run: bool,
}

/// A run that was created, with links.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct SubmittedRun {
    #[serde(flatten)]
    run: CreatedRun,
    /// Paths of the API: `self` is the run, `timeline` its events, `events` the stream of its events.
    links: BTreeMap<&'static str, String>,
}

/// The preview of a plan.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct PlanPreview {
    /// Names of the steps, each after the steps that it needs.
    order: Vec<String>,
    /// `[from, to]`: to needs from.
    edges: Vec<[String; 2]>,
    pub warnings: Vec<String>,
}

/// Creates a run from a validated plan.
pub(crate) async fn create(
    app: &App,
    caller: &Caller,
    parts: &RequestParts,
    id: Uuid,
    plan: &Plan,
    submitted: &Value,
) -> Result<SubmittedRun, Refusal> {
    let run = engine::create_run(&app.db(caller), id, plan, submitted, parts.trace.as_ref()).await?;
    let wake_up = WakeUp { id: run.id, priority: plan.priority, trace: parts.trace.clone() };
    app.wake_workers(&parts.background, vec![wake_up]).await;
    let base = format!("/api/runs/{}", run.id);
    let links = BTreeMap::from([
        ("self", base.clone()),
        ("timeline", format!("{base}/timeline")),
        ("events", format!("/api/events/stream?run_id={}", run.id)),
    ]);
    Ok(SubmittedRun { run, links })
}

/// Submit a plan.
///
/// For contributors. Sends exactly one of `plan`, `plan_yaml` and `prompt`. The plan is checked as a whole: either the run is created with
/// all of its steps, or nothing is and `errors` names every fault with its place. With `dry_run=true` it is only checked, and the order of
/// its steps is returned. With `Idempotency-Key` a repeated request returns the first run instead of creating a second one.
#[utoipa::path(post, path = "/runs", request_body = CreateRun, security(("bearer" = [])),
    params(("dry_run" = Option<bool>, Query, description = "Validate the plan and return the order of its steps; create no run.")),
    responses((status = 201, body = SubmittedRun), (status = 200, body = PlanPreview)))]
pub(crate) async fn create_run(
    State(app): State<App>,
    caller: Authenticated,
    Params(options): Params<Options>,
    key: RequestKey,
    parts: RequestParts,
    body: Body<CreateRun>,
) -> Result<Response, Refusal> {
    let CheckedPlan { plan, submitted } = read(body.value).await?;
    if options.dry_run {
        let open_breakers = app.open_breakers(&caller).await?;
        return Ok(axum::Json(preview(&plan, &open_breakers)).into_response());
    }
    let run = create(&app, &caller, &parts, key.resource(), &plan, &submitted).await?;
    Ok((StatusCode::CREATED, axum::Json(run)).into_response())
}

async fn read(request: CreateRun) -> Result<CheckedPlan, Refusal> {
    let checked = match (request.plan, request.plan_yaml, request.prompt) {
        (Some(plan), None, None) => checked(|| Ok(plan)).await,
        (None, Some(text), None) => checked(move || plan::from_yaml(&text)).await,
        (None, None, Some(prompt)) => {
            let plan = planning(&prompt, request.quality, request.open_pr, request.workspace);
            checked(|| Ok(plan)).await
        }
        _ => return Err(Problem::new(Kind::InvalidPlan, "Send exactly one of `plan` (JSON), `plan_yaml` (text) and `prompt`.").into()),
    };
    checked.map_err(|faulty| Problem::new(Kind::InvalidPlan, "No run was created.").with_faults(faulty.found).into())
}

/// A plan that has a model make a plan from a prompt, and submits it.
fn planning(prompt: &str, quality: bool, open_pr: bool, workspace: Option<Map<String, Value>>) -> Value {
    let goal: String = prompt.chars().take(200).collect();
    let mut inputs = json!({"prompt": prompt, "quality": quality, "open_pr": open_pr});
    if let Some(workspace) = workspace {
        inputs["workspace"] = Value::Object(workspace);
    }
    json!({"goal": goal, "steps": [
        {"name": "plan", "tool": "plan:make", "inputs": inputs},
        {"name": "submit", "tool": "plan:submit", "inputs": {"plan": "${{ steps.plan.outputs.plan }}"}}]})
}

pub(crate) fn preview(plan: &Plan, open_breakers: &OpenBreakers) -> PlanPreview {
    let waits = plan.steps.iter().filter(|step| open_breakers.contains_key(&step.tool)).map(|step| {
        format!("{}: the breaker of {} is open; the step will wait until a probe succeeds (GET /api/breakers).", step.name, step.tool)
    });
    let warnings = plan.warnings.iter().cloned().chain(waits).collect();
    let edges = plan.steps.iter().flat_map(|step| step.needs.iter().map(|need| [need.clone(), step.name.clone()])).collect();
    PlanPreview { order: plan.steps.iter().map(|step| step.name.clone()).collect(), edges, warnings }
}
