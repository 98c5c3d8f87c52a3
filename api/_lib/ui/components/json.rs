//! JSON values for people.

use maud::{Markup, html};
use serde_json::Value;

/// A value for people; long ones are cut, with a note.
pub(in crate::ui) fn json(value: &Value) -> Markup {
    const MAX_BYTES: usize = 20_000;
    let text = match value {
        Value::String(text) => text.clone(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    };
    let mut end = text.len().min(MAX_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    html! {
        pre tabindex="0" { (text[..end]) }
        @if end < text.len() { p.hint { (text.len() - end) " more bytes are not shown; the API returns all of them." } }
    }
}

/// A text in a value that may be missing; empty without one.
pub(in crate::ui) fn text_field<'a>(value: &'a Option<Value>, field: &str) -> &'a str {
    value.as_ref().and_then(|value| value[field].as_str()).unwrap_or_default()
}
