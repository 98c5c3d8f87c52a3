//! A run as a command of the shell.

use maud::{Markup, html};
use serde_json::{Value, json};

pub(super) fn draw(plan: &Value) -> Markup {
    let text = command(plan);
    html! {
        pre tabindex="0" { (text) }
        button.copy type="button" data-copy=(text) { "Copy command" }
    }
}

/// Within single quotes a shell reads nothing but their end.
fn command(plan: &Value) -> String {
    let body = json!({"plan": plan}).to_string().replace('\'', "'\\''");
    format!("curl --fail-with-body \"$NOFX_API_URL/api/runs\" \\\n  --header \"Authorization: Bearer $NOFX_TOKEN\" \\\n  --json '{body}'")
}

#[cfg(test)]
mod tests {
    use super::command;
    use serde_json::json;

    #[test]
    fn quotes_of_a_plan_stay_in_its_argument() {
        let text = command(&json!({"goal": "it's; rm -rf $HOME"}));
        assert!(text.ends_with(r#"--json '{"plan":{"goal":"it'\''s; rm -rf $HOME"}}'"#), "{text}");
    }
}
