//! The markup of every table except the list of runs, which has its own class.

use maud::{Markup, html};

/// A table that scrolls on its own when it is too wide, by keyboard too. `head` is its `th`s, `rows` its `tr`s.
pub(in crate::ui) fn table(label: &str, head: &Markup, rows: &Markup) -> Markup {
    html! { section.scroll tabindex="0" aria-label=(label) { table { thead { tr { (head) } } tbody { (rows) } } } }
}
