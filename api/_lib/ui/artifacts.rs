//! `/ui/artifacts`: artifacts of steps, and where their content is. Content that pages show is read in `evidence`.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;
use nofx_shared::db::Query as Rows;
use nofx_shared::problem::Kind;
use serde::Deserialize;
use uuid::Uuid;

use super::components::{artifact_table, empty, pager};
use super::layout::{Frame, Icon, Page};
use super::session::Session;
use super::state::Ui;
use crate::artifacts::Artifact;
use crate::http::{Cursor, Paging, Params, Refusal, one};

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
            (artifact_table(&found.data, true))
            (pager("/ui/artifacts", &[("name", query.name.clone()), ("run", run.clone())], found.next_cursor.as_deref()))
        }
    };
    Ok(frame.page("Artifacts", Icon::Idle, &body))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Which {
    id: Option<Uuid>,
    /// As the artifact has it: `runs/<run>/steps/<step>/<name>`.
    uri: String,
}

/// `GET /ui/artifacts/signed?id=… | uri=…`: redirects to a URL that is valid for five minutes.
pub(super) async fn signed(State(ui): State<Ui>, session: Session, Params(which): Params<Which>) -> Result<Response, Refusal> {
    let filter = match which.id {
        Some(id) => ("id".to_owned(), format!("eq.{id}")),
        None => ("uri".to_owned(), format!("eq.{}", which.uri)),
    };
    let newest = vec![filter, ("order".to_owned(), "created_at.desc".to_owned()), ("limit".to_owned(), "1".to_owned())];
    let newest = Rows { table: "artifact", filters: newest };
    let detail = "The artifact was not found in your tenant. Pass its `id` or `uri`.".to_owned();
    let artifact: Artifact = one(&ui.app.db(&session.caller), &newest, Kind::ArtifactNotFound, detail).await?;
    let url = ui.app.storage().sign(&artifact.blob, URL_VALID_FOR).await?;
    Ok(Redirect::to(&url).into_response())
}
