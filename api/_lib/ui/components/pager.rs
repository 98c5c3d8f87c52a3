use maud::{Markup, html};

use crate::ui::url;

/// The link to the next page of a list, with the filters of the list.
pub(in crate::ui) fn pager(path: &str, query: &[(&str, String)], next: Option<&str>) -> Markup {
    let Some(next) = next else { return html! {} };
    let query = url::query(query.iter().map(|(key, value)| (*key, value.as_str())).chain([("cursor", next)]));
    html! { nav.pager aria-label="Pages" { a.button rel="next" href={ (path) "?" (query) } { "Older" } } }
}
