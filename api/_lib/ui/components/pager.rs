use maud::{Markup, html};

/// The link to the next page of a list, with what the list is filtered by.
pub(in crate::ui) fn pager(path: &str, query: &[(&str, String)], next: Option<&str>) -> Markup {
    let Some(next) = next else { return html! {} };
    let pairs = query.iter().filter(|(_, value)| !value.is_empty()).map(|(key, value)| (*key, value.as_str())).chain([("cursor", next)]);
    let query: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    html! { nav.pager aria-label="Pages" { a.button rel="next" href={ (path) "?" (query) } { "Older" } } }
}
