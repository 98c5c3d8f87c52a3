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
    if let Some(line) = usage(&run["sandbox"]) {
        output::line(format_args!("  {line}"));
    }
    for gate in run["gates"].as_array().into_iter().flatten().filter(|gate| gate["status"] == "pending") {
        output::line(format_args!("  waiting for approval: nofx approve {}  ({})", text(&gate["id"]), text(&gate["question"])));
    }
}

/// What the programs of a run's steps used and cost; none when none ran.
fn usage(sandbox: &Value) -> Option<String> {
    let number = |name: &str| sandbox[name].as_u64();
    let (wall_ms, cpu_ms, bytes) = (number("wall_ms")?, number("cpu_ms")?, number("max_rss_bytes")?);
    let cost = number("cost_micro_usd").filter(|cost| *cost > 0);
    let cost = cost.map(|micro_usd| format!(", {}.{:06} USD", micro_usd / 1_000_000, micro_usd % 1_000_000)).unwrap_or_default();
    let seconds = |ms: u64| format!("{}.{:03}", ms / 1000, ms % 1000);
    Some(format!(
        "programs: {} s, {} s of processor time, {} MiB at most{cost}",
        seconds(wall_ms),
        seconds(cpu_ms),
        bytes.div_ceil(1 << 20)
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::usage;

    #[test]
    fn a_run_says_what_its_programs_used_and_what_that_cost() {
        let used = json!({"wall_ms": 10_002, "cpu_ms": 501, "max_rss_bytes": 1_048_577, "cost_micro_usd": 303});
        assert_eq!(usage(&used).as_deref(), Some("programs: 10.002 s, 0.501 s of processor time, 2 MiB at most, 0.000303 USD"));
        let free = json!({"wall_ms": 5, "cpu_ms": 0, "max_rss_bytes": 0, "cost_micro_usd": 0});
        assert_eq!(usage(&free).as_deref(), Some("programs: 0.005 s, 0.000 s of processor time, 0 MiB at most"));
        assert_eq!(usage(&Value::Null), None);
    }
}
