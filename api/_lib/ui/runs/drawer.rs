//! One step of a run: its inputs, outputs, errors, log and artifacts.

use std::collections::HashMap;

use maud::{Markup, html};
use nofx_shared::auth::Role;
use nofx_shared::db::Query;
use nofx_shared::gates::Evidence;
use serde_json::Value;

use super::log;
use super::read::{RunPage, Step, read_errors, read_step};
use super::shown::Shown;
use crate::artifacts::Artifact;
use crate::http::Refusal;
use crate::ui::components::{artifact_table, badge, duration, findings, id, json, table, when};
use crate::ui::evidence::read_evidence;
use crate::ui::layout::Frame;
use crate::ui::url;

pub(super) async fn draw(frame: &Frame, page: &RunPage, shown: &Shown, step: &Step) -> Result<Markup, Refusal> {
    let (ui, session) = (&frame.ui, &frame.session);
    let (app, caller) = (&ui.app, &session.caller);
    let of_step = [("step_id", format!("eq.{}", step.id)), ("order", "created_at".to_owned())];
    let of_step = Query::of("artifact", of_step);
    let db = app.db(caller);
    let artifacts = async { db.read::<Vec<Artifact>>(&of_step).await.map_err(Refusal::from) };
    let (detail, errors, artifacts) =
        tokio::try_join!(read_step(app, caller, step.id), read_errors(app, caller, page.run.id, step.id), artifacts)?;
    let log = log::draw(ui, session, page.run.id, step, &artifacts).await?;
    let gate = page.run.gates.iter().rev().find(|gate| gate.step_id == step.id && gate.evidence_id.is_some());
    let evidence: Option<Evidence> = match gate.and_then(|gate| artifacts.iter().find(|artifact| Some(artifact.id) == gate.evidence_id)) {
        Some(artifact) => read_evidence(ui, artifact).await?,
        None => None,
    };
    let inputs = detail.inputs.or_else(|| detail.spec.get("inputs").cloned()).unwrap_or_default();
    let is_retriable = matches!(step.status.as_str(), "failed" | "timed_out" | "skipped" | "cancelled" | "succeeded");
    Ok(html! {
        header {
            h2 { (badge(&step.status)) " " (step.name) }
            a.close href=(shown.link(None)) aria-label="Close step" { "✕" }
        }
        dl.facts {
            div { dt { "Tool" } dd { (step.tool) } }
            div { dt { "Step" } dd { (id(&step.id)) } }
            div { dt { "Attempt" } dd { (step.attempt) } }
            @if let Some(what) = &step.waits_for { div { dt { "Waiting for" } dd { (what) } } }
            @if let Some(began) = step.started_at { div { dt { "Started" } dd { (when(began)) } } }
            @if let Some(worker) = &detail.worker { div { dt { "Worker" } dd { (worker) } } }
        }
        @if page.run.status == nofx_shared::engine::RunStatus::Failed && is_retriable && session.may(Role::Contributor) {
            form.action method="post" action={ "/ui/runs/" (page.run.id) "/steps/" (step.id) "/retry" } {
                input type="hidden" name="csrf" value=(frame.csrf);
                button type="submit" { "Retry from here" }
            }
        }
        @if session.may(Role::Contributor) && step.parent_id.is_none() {
            p { a href=(again(page, step)) { "Run again with different inputs for this step" } }
        }
        @if let Some(error) = &detail.error {
            section { h3 { "Error" } (error_chain(frame, error)) }
        }
        @if let Some(evidence) = &evidence { section { h3 { "Evidence" } (findings(evidence)) } }
        section { h3 { "Log" } (log) }
        section { h3 { "Outputs" } @match &detail.outputs { Some(outputs) => { (json(outputs)) } None => { p.hint { "No outputs yet." } } } }
        section { h3 { "Inputs" } (json(&inputs)) }
        section { h3 { "Attempts" } (attempts(frame, page, step, &errors)) }
        section {
            h3 { "Artifacts" }
            @if artifacts.is_empty() { p.hint { "No artifacts." } } @else { (artifact_table(&artifacts, false)) }
        }
        section {
            h3 { "Provenance" }
            p { a href={ "/api/runs/" (page.run.id) "/lineage?format=svg" } { "View lineage" } " · every artifact has signed provenance." }
        }
    })
}

fn again(page: &RunPage, step: &Step) -> String {
    let from = page.run.id.to_string();
    format!("/ui/runs/new?{}", url::query([("from", from.as_str()), ("step", &step.name)]))
}

/// An error, what caused it, and its details.
fn error_chain(frame: &Frame, error: &Value) -> Markup {
    let causes = error["causes"].as_array().or_else(|| error["chain"].as_array());
    html! {
        p.why { (frame.named(error["message"].as_str().unwrap_or("Failed without an error message."))) }
        @if let Some(causes) = causes {
            ol.causes { @for cause in causes { li { (cause.as_str().or_else(|| cause["message"].as_str()).unwrap_or_default()) } } }
        }
        @if !error["details"].is_null() { (json(&error["details"])) }
    }
}

fn attempts(frame: &Frame, page: &RunPage, step: &Step, errors: &HashMap<u32, Value>) -> Markup {
    let attempts = page.attempts.iter().filter(|attempt| attempt.step_id == step.id);
    let head = html! { th { "No." } th { "Outcome" } th { "Queue time" } th { "Duration" } th { "Worker" } th { "Error" } };
    let rows = html! {
        @for attempt in attempts {
            @let began = attempt.started_at.unwrap_or(attempt.ended_at);
            tr {
                td { (attempt.attempt) }
                td { (badge(&attempt.outcome)) " " (when(attempt.ended_at)) }
                td { (attempt.ready_at.map(|ready| duration((began - ready).num_milliseconds())).unwrap_or_default()) }
                td { (duration((attempt.ended_at - began).num_milliseconds())) }
                td { (attempt.worker.as_deref().unwrap_or("")) }
                td { (frame.named(errors.get(&attempt.attempt).and_then(|error| error["message"].as_str()).unwrap_or_default())) }
            }
        }
        @if step.ended_at.is_none() {
            tr { td { (step.attempt) } td { (badge(&step.status)) } td {} td {} td {} td {} }
        }
    };
    table("Attempts", &head, &rows)
}
