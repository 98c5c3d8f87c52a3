//! A JSON value with its faulty places marked.

use maud::{Markup, html};
use nofx_shared::plan::pointer_to;
use serde_json::Value;

/// Lines around a mark that are shown.
const AROUND: usize = 3;

struct Line {
    text: String,
    is_marked: bool,
}

/// The lines near the marks, numbered as in the whole.
pub(in crate::ui) fn marked(value: &Value, pointers: &[&str]) -> Markup {
    let mut lines = vec![];
    write(value, "", "", 0, false, pointers, &mut lines);
    let near = |n: usize| lines[n.saturating_sub(AROUND)..(n + AROUND + 1).min(lines.len())].iter().any(|line| line.is_marked);
    let shown: Vec<usize> = (0..lines.len()).filter(|n| near(*n)).collect();
    html! {
        @if !shown.is_empty() {
            pre.marked tabindex="0" {
                @for (at, n) in shown.iter().enumerate() {
                    @if at > 0 && shown[at - 1] + 1 != *n { span.line.hint { "…\n" } }
                    span.line.fault[lines[*n].is_marked] data-n=(n + 1) { (lines[*n].text) "\n" }
                }
            }
        }
    }
}

fn write(value: &Value, pointer: &str, label: &str, depth: usize, has_next: bool, marks: &[&str], lines: &mut Vec<Line>) {
    let indent = "  ".repeat(depth);
    let comma = if has_next { "," } else { "" };
    // A pointer to something that is missing marks the value that lacks it.
    let is_marked = marks
        .iter()
        .any(|mark| *mark == pointer || (mark.rsplit_once('/').is_some_and(|(parent, _)| parent == pointer) && is_missing(value, mark)));
    let mut line = |text: String, is_marked: bool| lines.push(Line { text, is_marked });
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            line(format!("{indent}{label}{{"), is_marked);
            for (n, (key, field)) in fields.iter().enumerate() {
                let pointer = pointer_to(pointer, key);
                write(field, &pointer, &format!("{}: ", Value::String(key.clone())), depth + 1, n + 1 < fields.len(), marks, lines);
            }
            lines.push(Line { text: format!("{indent}}}{comma}"), is_marked: false });
        }
        Value::Array(items) if !items.is_empty() => {
            line(format!("{indent}{label}["), is_marked);
            for (n, item) in items.iter().enumerate() {
                write(item, &format!("{pointer}/{n}"), "", depth + 1, n + 1 < items.len(), marks, lines);
            }
            lines.push(Line { text: format!("{indent}]{comma}"), is_marked: false });
        }
        plain => line(format!("{indent}{label}{plain}{comma}"), is_marked),
    }
}

fn is_missing(value: &Value, mark: &str) -> bool {
    let key = mark.rsplit('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~");
    match value {
        Value::Object(fields) => !fields.contains_key(&key),
        Value::Array(items) => key.parse::<usize>().is_ok_and(|n| n >= items.len()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::marked;
    use serde_json::json;

    #[test]
    fn the_line_that_a_pointer_names_is_marked() {
        let plan = json!({"goal": "g", "steps": [{"name": "a", "tool": "nope"}, {"name": "b"}]});
        let html = marked(&plan, &["/steps/0/tool", "/steps/1/tool"]).into_string();
        assert!(html.contains(r#"<span class="line fault" data-n="6">      &quot;tool&quot;: &quot;nope&quot;"#), "{html}");
        assert!(html.contains(r#"<span class="line fault" data-n="8">    {"#), "what is missing marks its object: {html}");
        assert_eq!(html.matches("fault").count(), 2);
        assert_eq!(marked(&plan, &[]).into_string(), "");
    }
}
