//! `nofx policy [set|delete]`: what must be true before a tool may run.

use clap::Subcommand;
use nofx_shared::auth::Role;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::api::Api;
use crate::exit::{Exit, Outcome};
use crate::output;
use crate::target::Target;

#[derive(clap::Args)]
pub(crate) struct Policy {
    #[command(subcommand)]
    pub command: Option<PolicyCommand>,
}

#[derive(Subcommand)]
pub(crate) enum PolicyCommand {
    /// Set the policy of a tool, in place of its earlier one or the default. Without options nothing is required.
    Set(SetPolicy),
    /// Delete a policy of the tenant; the default applies again.
    Delete(DeletePolicy),
}

#[derive(clap::Args)]
pub(crate) struct SetPolicy {
    /// A tool, or a prefix that ends in `*`: `git:pr`, `manual:*`, `db_write:delete`.
    pub tool: String,
    /// A gate that must have passed: its name, or JSON with what is asked of it, `{"gate": "gate:unit", "command": "make test"}`. May be repeated.
    #[arg(long, value_parser = required)]
    pub require: Vec<Value>,
    /// How many different people must approve.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10))]
    pub approvals: Option<u32>,
    /// The minimum role of those who approve.
    #[arg(long, value_parser = ["supervisor", "admin"])]
    pub role: Option<String>,
    /// Seconds after which an approval that nobody gave fails the step.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=99_999_999))]
    pub expires_s: Option<u32>,
    /// The author of a run may be one of those who approve.
    #[arg(long)]
    pub author_may_approve: bool,
    /// API keys may approve, in the name of their makers.
    #[arg(long)]
    pub keys_may_approve: bool,
}

#[derive(clap::Args)]
pub(crate) struct DeletePolicy {
    /// The policy's id, as `nofx policy --json` shows it.
    pub id: Uuid,
}

fn required(text: &str) -> Result<Value, String> {
    if !text.starts_with('{') {
        return Ok(json!(text));
    }
    serde_json::from_str(text).map_err(|error| format!("not valid JSON: {error}"))
}

const PATH: &str = "/api/gates/policies";

pub(crate) async fn run(target: &Target, options: Policy) -> Outcome {
    match options.command {
        None => {
            let page = Api::find(target, Role::Viewer)?.get(PATH).await?;
            if target.json {
                output::line(format_args!("{page}"));
            } else {
                page["data"].as_array().into_iter().flatten().flat_map(lines).for_each(|line| output::line(format_args!("{line}")));
            }
        }
        Some(PolicyCommand::Set(wanted)) => {
            let policy = Api::find(target, Role::Admin)?.post(PATH, &body(wanted)).await?;
            if target.json {
                output::line(format_args!("{policy}"));
            } else {
                lines(&policy).into_iter().for_each(|line| output::line(format_args!("{line}")));
            }
        }
        Some(PolicyCommand::Delete(options)) => {
            Api::find(target, Role::Admin)?.delete(&format!("{PATH}/{}", options.id)).await?;
            if !target.json {
                output::line(format_args!("{} deleted", options.id));
            }
        }
    }
    Ok(Exit::Succeeded)
}

fn body(wanted: SetPolicy) -> Value {
    let mut approval = Map::new();
    approval.extend(wanted.approvals.map(|count| ("count".to_owned(), json!(count))));
    approval.extend(wanted.role.map(|role| ("role".to_owned(), json!(role))));
    approval.extend(wanted.expires_s.map(|seconds| ("expires_s".to_owned(), json!(seconds))));
    for (name, is_set) in [("author_may_approve", wanted.author_may_approve), ("keys_may_approve", wanted.keys_may_approve)] {
        approval.extend(is_set.then(|| (name.to_owned(), json!(true))));
    }
    let approval = (!approval.is_empty()).then_some(approval);
    json!({"tool": wanted.tool, "requires": wanted.require, "approval": approval})
}

/// The tool and its approval, and a line for each gate.
fn lines(policy: &Value) -> Vec<String> {
    let tool = policy["tool"].as_str().unwrap_or_default();
    let approval = match &policy["approval"] {
        Value::Null => "no approval".to_owned(),
        approval => {
            let count = approval["count"].as_u64().unwrap_or(1);
            let (role, plural) = (approval["role"].as_str().unwrap_or("supervisor"), if count == 1 { "" } else { "s" });
            let author = if approval["author_may_approve"] == true { ", author too" } else { "" };
            let keys = if approval["keys_may_approve"] == true { ", keys too" } else { "" };
            format!("{count} approval{plural} by {role}{author}{keys}")
        }
    };
    let by = policy["changed_by"].as_str().unwrap_or_default();
    let mut lines = vec![format!("{tool:<20} {approval} (set by {by})")];
    for gate in policy["requires"].as_array().into_iter().flatten() {
        lines.push(match gate.as_object() {
            None => format!("  {}", gate.as_str().unwrap_or_default()),
            Some(fields) => {
                let asked = fields.iter().filter(|(name, _)| *name != "gate").map(|(name, value)| format!(" {name}={value}"));
                format!("  {}{}", gate["gate"].as_str().unwrap_or_default(), asked.collect::<String>())
            }
        });
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{SetPolicy, body, lines, required};

    #[test]
    fn a_policy_is_shown_with_what_it_asks_of_each_gate() {
        let policy = json!({"tool": "git:pr", "approval": {"count": 2, "keys_may_approve": true}, "changed_by": "ada",
            "requires": ["gate:lint", {"gate": "gate:coverage", "threshold": 80, "exclude": ["gen/"]}]});
        assert_eq!(
            lines(&policy),
            [
                "git:pr               2 approvals by supervisor, keys too (set by ada)",
                "  gate:lint",
                "  gate:coverage exclude=[\"gen/\"] threshold=80"
            ]
        );
        assert_eq!(
            lines(&json!({"tool": "bash", "requires": [], "approval": null, "changed_by": "a"})),
            ["bash                 no approval (set by a)"]
        );
    }

    #[test]
    fn options_become_the_body() {
        let gate = required(r#"{"gate": "gate:unit", "command": "make test"}"#).expect("JSON");
        let wanted = |require, approvals, author_may_approve| SetPolicy {
            tool: "bash".to_owned(),
            require,
            approvals,
            role: None,
            expires_s: None,
            author_may_approve,
            keys_may_approve: false,
        };
        assert_eq!(
            body(wanted(vec![json!("gate:lint"), gate.clone()], Some(2), true)),
            json!({"tool": "bash", "requires": ["gate:lint", gate], "approval": {"count": 2, "author_may_approve": true}})
        );
        assert_eq!(body(wanted(vec![], None, false)), json!({"tool": "bash", "requires": [], "approval": null}));
        assert!(required("{not JSON").is_err());
    }
}
