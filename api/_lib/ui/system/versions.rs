//! The versions of the API and of the schema, and where this process runs.

use maud::{Markup, html};
use nofx_shared::db::{Error, SCHEMA, schema_version};

use crate::ui::Ui;

/// The newest migration of the database.
pub(super) async fn read(ui: &Ui) -> Result<Option<String>, Error> {
    schema_version(ui.app.service_db()).await
}

pub(super) fn draw(ui: &Ui, version: Option<&str>) -> Markup {
    html! {
        dl.facts {
            div { dt { "API" } dd { (env!("CARGO_PKG_VERSION")) } }
            div { dt { "Schema" } dd { (version.unwrap_or("unknown")) @if version != Some(SCHEMA) { ". This API expects schema " (SCHEMA) ". Run " code { "supabase db push" } "." } } }
            @if let Some(region) = &ui.app.settings().region { div { dt { "Region" } dd { (region) } } }
        }
    }
}
