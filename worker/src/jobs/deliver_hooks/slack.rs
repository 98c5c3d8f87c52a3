//! Events as messages of Slack.

use serde_json::{Value, json};

/// An event as a message of Slack.
pub(super) fn message(body: &str, public_url: Option<&str>) -> String {
    let event: Value = serde_json::from_str(body).unwrap_or_default();
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let fields: Vec<String> = event["data"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| *name != "link")
        .filter_map(|(name, value)| Some(format!("{name}: {}", escape(&text_of(value)?))))
        .collect();
    let run = event["runid"].as_str().map(|run| format!("/ui/runs/{run}"));
    let link = event["data"]["link"].as_str().map(str::to_owned).or(run);
    let link = public_url.zip(link).map(|(url, link)| format!("\n<{url}{link}|View>")).unwrap_or_default();
    let text: String =
        format!("*{}*\n{}", escape(event["type"].as_str().unwrap_or("request")), fields.join("\n")).chars().take(2900).collect();
    json!({"text": format!("{text}{link}")}).to_string()
}

/// A field as text: a list of texts too, no other structure.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Object(_) => None,
        Value::Array(items) => {
            let texts = items.iter().map(Value::as_str).collect::<Option<Vec<_>>>()?;
            (!texts.is_empty()).then(|| texts.join(", "))
        }
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::message;

    #[test]
    fn a_list_of_texts_is_a_line_and_other_structures_are_left_out() {
        let event = json!({"type": "alert.raised", "data": {"people": ["a@x", "<b>"], "none": [], "rows": [{"a": 1}], "map": {}, "mixed": ["a", 1]}});
        let body: Value = serde_json::from_str(&message(&event.to_string(), None)).expect("JSON");
        assert_eq!(body["text"], "*alert.raised*\npeople: a@x, &lt;b&gt;");
    }

    #[test]
    fn a_message_has_the_event_and_its_fields_and_escapes_markup() {
        let event =
            json!({"type": "alert.raised", "data": {"kind": "queue_depth", "value": 12, "note": "<b>&", "link": "/ui/system#alerts"}});
        let body: Value = serde_json::from_str(&message(&event.to_string(), Some("https://nofx.example"))).expect("JSON");
        let text = body["text"].as_str().expect("a text");
        assert_eq!(
            text,
            "*alert.raised*\nkind: queue_depth\nvalue: 12\nnote: &lt;b&gt;&amp;\n<https://nofx.example/ui/system#alerts|View>"
        );
    }
}
