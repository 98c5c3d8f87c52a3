//! `/ui/runs/new`: write or paste a plan, preview it, submit it. Also a run again, with another plan or other inputs of one step.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use nofx_shared::auth::Role;
use nofx_shared::plan::{self, Plan};
use nofx_shared::problem::Fault;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::http::{Params, Refusal};
use crate::runs::checked::{CheckedPlan, Faulty, checked};
use crate::runs::create::preview;
use crate::ui::Ui;
use crate::ui::components::{counted, empty, marked};
use crate::ui::forms::{Fields, Form, Refused};
use crate::ui::layout::{Frame, Icon, Page};
use crate::ui::session::Session;
use crate::ui::svg::{Node, layered};

const EXAMPLES: [(&str, &str, &str); 3] = [
    ("hello", "Three steps", include_str!("../../../../examples/hello.json")),
    ("gated", "Gates before codegen", include_str!("../../../../examples/gated-codegen.json")),
    ("fan-out", "A step for each item", include_str!("../../../../examples/fan-out.yaml")),
];

#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::ui) struct Query {
    example: String,
    /// The run whose plan is taken.
    from: Option<Uuid>,
    /// The step whose inputs are edited.
    step: String,
}

/// What is edited: a whole plan, or the inputs of one step of a run.
struct Draft {
    text: String,
    from: Option<Uuid>,
    step: Option<String>,
}

pub(in crate::ui) async fn show(State(ui): State<Ui>, frame: Frame, Params(query): Params<Query>) -> Result<Page, Refusal> {
    let text = match query.from {
        Some(run) => pretty(&edited(&plan_of(&ui, &frame.session, run).await?, &query.step)),
        None => EXAMPLES.iter().find(|(name, ..)| *name == query.example).map_or("", |(.., text)| text).to_owned(),
    };
    let draft = Draft { text, from: query.from, step: (!query.step.is_empty()).then_some(query.step) };
    let checked = if draft.text.is_empty() { None } else { Some(check_draft(&ui, &frame.session, &draft).await?) };
    Ok(page(&frame, &draft, checked.as_ref(), None))
}

/// `POST /ui/runs/new/check`: the faults in the text, or a preview of the plan.
pub(in crate::ui) async fn check(State(ui): State<Ui>, session: Session, fields: Fields) -> Result<Markup, Refusal> {
    Ok(check_draft(&ui, &session, &draft(&fields)).await?.markup)
}

pub(in crate::ui) async fn submit(State(ui): State<Ui>, form: Form) -> Result<Response, Refusal> {
    let draft = draft(&form.fields);
    let checked = check_draft(&ui, &form.session, &draft).await?;
    let refused = match &checked.plan {
        Some(plan) => match ui.post(&form, "/runs", &json!({"plan": plan})).await {
            Ok(created) => return Ok(Redirect::to(&format!("/ui/runs/{}", created["id"].as_str().unwrap_or_default())).into_response()),
            Err(refused) => Some(refused),
        },
        None => None,
    };
    let frame = Frame::without_data(&ui, form.session, "/ui/runs/new");
    Ok(page(&frame, &draft, Some(&checked), refused.as_ref()).into_response())
}

fn draft(fields: &Fields) -> Draft {
    Draft {
        text: fields.text("plan").unwrap_or_default().to_owned(),
        from: fields.text("from").and_then(|from| from.parse().ok()),
        step: fields.text("step").map(str::to_owned),
    }
}

fn page(frame: &Frame, draft: &Draft, checked: Option<&DraftCheck>, refused: Option<&Refused>) -> Page {
    let may = frame.session.may(Role::Contributor);
    let title = if draft.from.is_some() { "Run again" } else { "New run" };
    let body = html! {
        header.list {
            h1 { (title) }
            @if draft.from.is_none() {
                nav.saved aria-label="Examples" { "Examples: " @for (name, what, _) in EXAMPLES { a href={ "/ui/runs/new?example=" (name) } { (what) } } }
            }
        }
        @if !may { p.notice.failed role="alert" { "You need the contributor role to submit plans. Ask an admin." } }
        @if let Some(refused) = refused { p.notice.failed role="alert" { (refused.text()) } }
        div.split.open.new {
            form #new method="post" action="/ui/runs/new" {
                input type="hidden" name="csrf" value=(frame.csrf);
                input type="hidden" name="once" value=(Uuid::now_v7());
                @if let Some(from) = draft.from { input type="hidden" name="from" value=(from); }
                @if let Some(step) = &draft.step { input type="hidden" name="step" value=(step); }
                label for="plan" {
                    @match &draft.step {
                        Some(step) => { "Inputs of " (step) " (JSON or YAML)" }
                        None => { "Plan (JSON or YAML)" }
                    }
                }
                textarea #plan name="plan" rows="24" spellcheck="false" required hx-post="/ui/runs/new/check" hx-trigger="input delay:300ms"
                    hx-target="#check" hx-swap="innerHTML" hx-sync="this:replace" aria-describedby="check" { "\n" (draft.text) }
                div.actions {
                    label.button.upload.scripted { "Load file" input #file type="file" accept=".json,.yaml,.yml"; }
                    @if may { button.primary type="submit" { "Submit" } }
                }
            }
            section #check aria-live="polite" aria-label="Plan preview" {
                @match checked {
                    Some(checked) => { (checked.markup) }
                    None => { (empty("No plan yet", &html! { "Write or paste a plan, load a file, or start from an example." })) }
                }
            }
        }
    };
    frame.page(title, Icon::Idle, &body)
}

/// A draft that was validated.
struct DraftCheck {
    /// None: it cannot be submitted.
    plan: Option<Value>,
    markup: Markup,
}

async fn check_draft(ui: &Ui, session: &Session, draft: &Draft) -> Result<DraftCheck, Refusal> {
    let of_run = match (draft.from, &draft.step) {
        (Some(run), Some(step)) => Some((plan_of(ui, session, run).await?, step.clone())),
        _ => None,
    };
    let text = draft.text.clone();
    let read = move || {
        let value = serde_json::from_str(&text).or_else(|_| plan::from_yaml(&text))?;
        Ok(match of_run {
            Some((plan, step)) => with_inputs(plan, &step, value),
            None => value,
        })
    };
    match checked(read).await {
        Ok(CheckedPlan { plan, submitted }) => {
            let open_breakers = ui.app.open_breakers(&session.caller).await?;
            let warnings = preview(&plan, &open_breakers).warnings;
            Ok(DraftCheck { markup: drawn(&plan, &warnings), plan: Some(submitted) })
        }
        Err(Faulty { found, submitted }) => Ok(DraftCheck { plan: None, markup: faults(&found, submitted.as_ref()) }),
    }
}

fn faults(found: &[Fault], plan: Option<&Value>) -> Markup {
    let pointers: Vec<&str> = found.iter().map(|fault| fault.pointer.as_str()).collect();
    html! {
        h2 { "This plan has errors" }
        ul.faults { @for fault in found { li { @if !fault.pointer.is_empty() { code { (fault.pointer) } " " } (fault.detail) } } }
        @if let Some(plan) = plan { (marked(plan, &pointers)) }
    }
}

fn drawn(plan: &Plan, warnings: &[String]) -> Markup {
    let place = |name: &String| plan.steps.iter().position(|step| step.name == *name);
    let nodes: Vec<Node> = plan
        .steps
        .iter()
        .map(|step| Node {
            name: step.name.clone(),
            tool: step.tool.clone(),
            status: "pending".to_owned(),
            needs: step.needs.iter().filter_map(place).collect(),
            link: "#plan".to_owned(),
            is_selected: false,
            folded: None,
        })
        .collect();
    html! {
        h2 { "Valid plan: " (counted(nodes.len(), "step")) }
        @if !warnings.is_empty() { ul.warnings { @for warning in warnings { li { (warning) } } } }
        section.scroll tabindex="0" aria-label="Plan graph" { (layered(&nodes)) }
    }
}

async fn plan_of(ui: &Ui, session: &Session, run: Uuid) -> Result<Value, Refusal> {
    Ok(crate::runs::get::find(&ui.app, &session.caller, run).await?.plan)
}

/// The edited part of a plan.
fn edited(plan: &Value, step: &str) -> Value {
    if step.is_empty() {
        return plan.clone();
    }
    let steps = plan["steps"].as_array().into_iter().flatten();
    steps
        .clone()
        .find(|one| one["name"] == step)
        .map(|one| one["inputs"].clone())
        .filter(|inputs| !inputs.is_null())
        .unwrap_or_else(|| json!({}))
}

fn with_inputs(mut plan: Value, step: &str, inputs: Value) -> Value {
    if let Some(found) = plan["steps"].as_array_mut().into_iter().flatten().find(|one| one["name"] == step) {
        found["inputs"] = inputs;
    }
    plan
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
