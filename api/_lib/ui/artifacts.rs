//! `/ui/artifacts`: artifacts of steps, and their content.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use nofx_shared::db::Query as Rows;
use nofx_shared::gates::Evidence;
use nofx_shared::problem::Kind;
use nofx_shared::storage;
use serde::Deserialize;
use uuid::Uuid;

use super::Ui;
use super::components::{bytes, empty, id, pager, when};
use super::layout::{Frame, Icon, Page};
use super::session::Session;
use crate::artifacts::Artifact;
use crate::http::{Cursor, Paging, Params, Refusal, one};

/// Bytes of a text that a page shows.
const SHOWN_BYTES: usize = 128 << 10;
/// How long a signed URL is valid.
const URL_VALID_FOR: Duration = Duration::from_secs(300);

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Query {
    name: String,
    run: Option<Uuid>,
    cursor: String,
}

pub(super) async fn show(State(ui): State<Ui>, frame: Frame, Params(query): Params<Query>) -> Result<Page, Refusal> {
    let mut filters = vec![];
    if !query.name.is_empty() {
        filters.push(("name".to_owned(), format!("ilike.*{}*", query.name.replace(['*', '%', '_', '\\'], "_"))));
    }
    filters.extend(query.run.map(|run| ("run_id".to_owned(), format!("eq.{run}"))));
    let cursor = |artifact: &Artifact| Cursor { created_at: artifact.created_at, id: artifact.id };
    let found = Paging::after(&query.cursor).fetch(&ui.app.db(&frame.session.caller), "artifact", filters, cursor).await?;
    let run = query.run.map(|run| run.to_string()).unwrap_or_default();
    let body = html! {
        header.list { h1 { "Artifacts" } }
        form.filters method="get" action="/ui/artifacts" role="search" {
            label { "Name" input type="search" name="name" value=(query.name) placeholder="Part of the name"; }
            label { "Run" input type="search" name="run" value=(run) placeholder="Run id" pattern="[0-9a-fA-F-]{36}"; }
            button type="submit" { "Filter" }
        }
        @if found.data.is_empty() {
            (empty("No artifacts", &html! { "Files, logs and gate evidence appear here, with signed provenance." }))
        } @else {
            (list(&found.data, true))
            (pager("/ui/artifacts", &[("name", query.name.clone()), ("run", run.clone())], found.next_cursor.as_deref()))
        }
    };
    Ok(frame.page("Artifacts", Icon::Idle, &body))
}

/// Artifacts as a table; with the run when they are of many.
pub(super) fn list(artifacts: &[Artifact], with_run: bool) -> Markup {
    html! {
        section.scroll tabindex="0" aria-label="Artifacts" {
            table {
                thead { tr { th { "Name" } th { "Size" } th { "Created" } @if with_run { th { "Run" } } th { "Digest" } th { "Attestations" } th { "Artifact" } } }
                tbody {
                    @for artifact in artifacts {
                        tr {
                            td { a href={ "/ui/artifacts/signed?id=" (artifact.id) } { (artifact.name) } span.hint { " " (artifact.media_type) } }
                            td { (bytes(artifact.size_bytes)) }
                            td { (when(artifact.created_at)) }
                            @if with_run { td { a href={ "/ui/runs/" (artifact.run_id) } { "View run" } } }
                            td { button.copy type="button" data-copy=(artifact.hash) { span.unseen { "Copy digest " } (artifact.hash.get(..19).unwrap_or(&artifact.hash)) "…" } }
                            td { a href={ "/api/artifacts/" (artifact.id) "/attestations" } { "View" } }
                            td { (id(&artifact.id)) }
                        }
                    }
                }
            }
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Which {
    id: Option<Uuid>,
    /// As the artifact has it: `runs/<run>/steps/<step>/<name>`.
    path: String,
}

/// `GET /ui/artifacts/signed?id=… | path=…`: redirects to a URL that is valid for five minutes.
pub(super) async fn signed(State(ui): State<Ui>, session: Session, Params(which): Params<Which>) -> Result<Response, Refusal> {
    let filter = match which.id {
        Some(id) => ("id".to_owned(), format!("eq.{id}")),
        None => ("path".to_owned(), format!("eq.{}", which.path)),
    };
    let newest = vec![filter, ("order".to_owned(), "created_at.desc".to_owned()), ("limit".to_owned(), "1".to_owned())];
    let newest = Rows { table: "artifact", filters: newest };
    let detail = "The artifact was not found in your tenant. Pass its `id` or `path`.".to_owned();
    let artifact: Artifact = one(&ui.app.db(&session.caller), &newest, Kind::ArtifactNotFound, detail).await?;
    let url = ui.app.storage().sign(&artifact.blob, URL_VALID_FOR).await?;
    Ok(Redirect::to(&url).into_response())
}

/// The start of an artifact, as text.
pub(super) struct Text {
    pub text: String,
    pub is_cut: bool,
}

pub(super) async fn text(ui: &Ui, artifact: &Artifact) -> Result<Text, Refusal> {
    let read = read(ui, artifact, SHOWN_BYTES).await?;
    let is_cut = i64::try_from(read.len()).unwrap_or(i64::MAX) < artifact.size_bytes;
    Ok(Text { text: String::from_utf8_lossy(&read).into_owned(), is_cut })
}

/// The evidence in an artifact; none when it holds something else.
pub(super) async fn evidence(ui: &Ui, artifact: &Artifact) -> Result<Option<Evidence>, Refusal> {
    const MOST: usize = 4 << 20;
    Ok(serde_json::from_slice(&read(ui, artifact, MOST).await?).ok())
}

async fn read(ui: &Ui, artifact: &Artifact, most: usize) -> Result<Vec<u8>, Refusal> {
    let mut answer = ui.app.storage().download(&artifact.blob).await?;
    let mut bytes = vec![];
    while let Some(piece) = answer.chunk().await.map_err(storage::Error::Unavailable)? {
        bytes.extend_from_slice(&piece);
        if bytes.len() >= most {
            bytes.truncate(most);
            break;
        }
    }
    Ok(bytes)
}
