use maud::{Markup, html};

/// An empty state: what would be here, and what to do.
pub(in crate::ui) fn empty(title: &str, hint: &Markup) -> Markup {
    html! { section.empty { h2 { (title) } p { (hint) } } }
}
