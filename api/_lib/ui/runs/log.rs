//! The log of a step: while it runs, the chunks so far; afterwards, the artifact.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;
use uuid::Uuid;

use super::read::Step;
use crate::artifacts::Artifact;
use crate::http::{Params, Path, Refusal};
use crate::runs::log::log;
use crate::ui::Ui;
use crate::ui::components::ansi;
use crate::ui::evidence::{Text, read_text};
use crate::ui::session::Session;

#[derive(Deserialize)]
pub(in crate::ui) struct After {
    attempt: u32,
    after: i64,
    /// Number of the last line that the page has.
    line: usize,
}

/// `GET /ui/runs/{id}/steps/{step}/log`: the next lines, for a page that follows. The headers have the next offset.
pub(in crate::ui) async fn show(
    State(ui): State<Ui>,
    session: Session,
    Path((_run, step)): Path<(Uuid, Uuid)>,
    Params(query): Params<After>,
) -> Result<Response, Refusal> {
    let more = log(&ui.app, &session.caller, step, query.attempt, query.after).await?;
    let line = query.line + more.text.lines().count();
    let headers = [("x-log-after", more.after.to_string()), ("x-log-line", line.to_string())];
    Ok((headers, ansi(&more.text, query.line + 1)).into_response())
}

/// The log of a step's last attempt.
pub(super) async fn draw(ui: &Ui, session: &Session, run: Uuid, step: &Step, artifacts: &[Artifact]) -> Result<Markup, Refusal> {
    let name = format!("log-{}.txt", step.attempt);
    let saved = artifacts.iter().rev().find(|artifact| artifact.name == name);
    if let Some(artifact) = saved.filter(|_| step.status != "running") {
        let Text { text, is_cut } = read_text(ui, artifact).await?;
        return Ok(html! {
            pre.log tabindex="0" aria-label="Log" { (ansi(&text, 1)) }
            @if is_cut { p.hint { "Beginning of the log. " a href={ "/ui/artifacts/signed?id=" (artifact.id) } { "Download full log" } } }
        });
    }
    let so_far = log(&ui.app, &session.caller, step.id, step.attempt, 0).await?;
    let lines = so_far.text.lines().count();
    let follows = step.status == "running";
    Ok(html! {
        @if follows || !so_far.text.is_empty() {
            pre.log tabindex="0" aria-label="Log" data-follow=[follows.then(|| format!("/ui/runs/{run}/steps/{}/log?attempt={}", step.id, step.attempt))]
                data-after=(so_far.after) data-line=(lines) { (ansi(&so_far.text, 1)) }
            @if follows { p.hint { "Still running; new lines appear here." } }
        } @else {
            p.hint { "No output." }
        }
    })
}
