//! The form of every table but that of runs, which has a class of its own.

use maud::{Markup, html};

/// A table that scrolls by itself where it is too wide, also by keyboard. `head` is its `th`s, `rows` its `tr`s.
pub(in crate::ui) fn table(label: &str, head: &Markup, rows: &Markup) -> Markup {
    html! { section.scroll tabindex="0" aria-label=(label) { table { thead { tr { (head) } } tbody { (rows) } } } }
}
