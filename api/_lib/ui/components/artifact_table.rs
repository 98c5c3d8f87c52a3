//! Artifacts as a table.

use maud::{Markup, html};

use super::{bytes, id, table, when};
use crate::artifacts::Artifact;

/// Artifacts as a table; with the run when they are of many.
pub(in crate::ui) fn artifact_table(artifacts: &[Artifact], with_run: bool) -> Markup {
    let head = html! { th { "Name" } th { "Size" } th { "Created" } @if with_run { th { "Run" } } th { "Digest" } th { "Attestations" } th { "Artifact" } };
    let rows = html! {
        @for artifact in artifacts {
            tr {
                td { a href={ "/ui/artifacts/signed?id=" (artifact.id) } { (artifact.name) } span.hint { " " (artifact.r#type) } }
                td { (bytes(artifact.size_bytes)) }
                td { (when(artifact.created_at)) }
                @if with_run { td { a href={ "/ui/runs/" (artifact.run_id) } { "View run" } } }
                td { button.copy type="button" data-copy=(artifact.hash) { span.unseen { "Copy digest " } (artifact.hash.get(..19).unwrap_or(&artifact.hash)) "…" } }
                td { a href={ "/api/artifacts/" (artifact.id) "/attestations" } { "View" } }
                td { (id(&artifact.id)) }
            }
        }
    };
    table("Artifacts", &head, &rows)
}
