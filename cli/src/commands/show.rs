//! `nofx show`

use nofx_shared::auth::Role;
use serde_json::Value;

use super::id::Id;
use crate::api::Api;
use crate::exit::{Exit, Outcome};
use crate::output;
use crate::target::Target;

pub(crate) async fn run(target: &Target, options: Id) -> Outcome {
    let run = Api::find(target, Role::Viewer)?.get(&format!("/api/runs/{}", options.id)).await?;
    if target.json {
        output::line(format_args!("{run}"));
    } else {
        print(&run);
    }
    Ok(Exit::Succeeded)
}

pub(crate) fn print(run: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    output::line(format_args!("{}  {}  {}", text(&run["id"]), text(&run["status"]), text(&run["goal"])));
    for step in run["steps"].as_array().into_iter().flatten() {
        let waits = step["waits_for"].as_str().map(|what| format!(" for a {what}")).unwrap_or_default();
        let error = step["error"]["message"].as_str().map(|message| format!(": {message}")).unwrap_or_default();
        output::line(format_args!("  {:<10} {}  [{}]{waits}{error}", text(&step["status"]), text(&step["name"]), text(&step["tool"])));
    }
    for gate in run["gates"].as_array().into_iter().flatten().filter(|gate| gate["status"] == "pending") {
        output::line(format_args!("  waiting for approval: nofx approve {}  ({})", text(&gate["id"]), text(&gate["question"])));
    }
}
