//! The rate limits of this deployment. They are settings of its processes, not rows.

use maud::{Markup, html};

use crate::ui::Ui;

pub(super) fn draw(ui: &Ui) -> Markup {
    let limits = &ui.app.settings().limits;
    let facts = [
        ("Reads per credential", limits.reads),
        ("Writes per credential", limits.writes),
        ("Requests per tenant", limits.tenant),
        ("Requests per address", limits.address),
        ("Failed authentications per address", limits.failed_auth),
    ];
    html! {
        dl.facts {
            @for (what, most) in facts { div { dt { (what) } dd { @if most == 0 { "no limit" } @else { (most) " per minute" } } } }
        }
    }
}
