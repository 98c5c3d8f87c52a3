//! Events as a list.

use maud::{Markup, html};
use nofx_shared::events::CloudEvent;

use super::{json, when};

/// Events as a list, each with its data.
pub(in crate::ui) fn event_feed(events: &[CloudEvent], is_of_one_run: bool) -> Markup {
    html! {
        ol.feed {
            @for event in events {
                li data-type=(event.r#type.split('.').next().unwrap_or_default()) {
                    (when(event.time)) " " strong { (event.r#type) } " "
                    @if let Some(name) = event.data["name"].as_str() { (name) " " }
                    @if let (Some(run), false) = (event.runid, is_of_one_run) { a href={ "/ui/runs/" (run) } { "View run" } }
                    details { summary { "Data" } (json(&event.data)) }
                }
            }
        }
    }
}
