//! `nofx run`

use std::path::{Path, PathBuf};

use nofx_shared::auth::Role;
use serde_json::{Value, json};

use super::show;
use crate::api::Api;
use crate::exit::{Error, Exit, Outcome};
use crate::follow::Follower;
use crate::output;
use crate::target::Target;

#[derive(clap::Args)]
pub(crate) struct Run {
    /// Plan file: .json, .yaml or .yml.
    pub plan: PathBuf,
    /// Follow the run until it finishes. Exit code: 0 succeeded, 1 failed, 2 refused, 3 cancelled.
    #[arg(long)]
    pub watch: bool,
    /// Validate the plan without creating a run.
    #[arg(long)]
    pub dry_run: bool,
}

pub(crate) async fn run(target: &Target, options: Run) -> Outcome {
    let body = read(&options.plan)?;
    let api = Api::find(target, Role::Contributor)?;
    if options.dry_run {
        output::line(format_args!("{}", api.post("/api/runs?dry_run=true", &body).await?));
        return Ok(Exit::Succeeded);
    }
    let run = api.post("/api/runs", &body).await?;
    let id = run["id"].as_str().unwrap_or_default().to_owned();
    if !options.watch {
        if target.json {
            output::line(format_args!("{run}"))
        } else {
            output::line(format_args!("{id}"))
        }
        return Ok(Exit::Succeeded);
    }
    if !target.json {
        output::note(format_args!("run {id}"));
    }
    let status = watch(&api, &id, target.json).await?;
    let run = api.get(&format!("/api/runs/{id}")).await?;
    if target.json {
        output::line(format_args!("{run}"))
    } else {
        show::print(&run)
    }
    Ok(match status.as_str() {
        "run.succeeded" => Exit::Succeeded,
        "run.cancelled" => Exit::Cancelled,
        _ => Exit::Failed,
    })
}

/// A body for POST /api/runs. Paths of repositories that exist on this machine become absolute.
fn read(path: &Path) -> Result<Value, Error> {
    let text = std::fs::read_to_string(path).map_err(|error| Error::new(format!("{}: {error}", path.display())))?;
    let is_yaml = path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    if is_yaml {
        return Ok(json!({"plan_yaml": text}));
    }
    let plan: Value = serde_json::from_str(&text).map_err(|error| Error::new(format!("{} is not valid JSON: {error}", path.display())))?;
    Ok(json!({"plan": plan}))
}

/// Prints progress until the run finishes; returns the event that finished it.
async fn watch(api: &Api, id: &str, quiet: bool) -> Result<String, Error> {
    let mut follower = Follower::new(api, "/api/events/stream", vec![("run_id", id.to_owned())], None);
    loop {
        let event: Value = serde_json::from_str(&follower.next().await?).map_err(Error::new)?;
        let kind = event["type"].as_str().unwrap_or_default().to_owned();
        if !quiet {
            print_progress(&kind, &event["data"]);
        }
        if matches!(kind.as_str(), "run.succeeded" | "run.failed" | "run.cancelled") {
            return Ok(kind);
        }
    }
}

fn print_progress(event: &str, data: &Value) {
    let text = |key: &str| data[key].as_str().unwrap_or_default().to_owned();
    match event {
        "step.started" => output::note(format_args!("  {} …", text("name"))),
        "gate.requested" => {
            output::note(format_args!("  {} is waiting for approval: nofx approve {}  {}", text("name"), text("gate_id"), text("question")))
        }
        "step.succeeded"
        | "step.failed"
        | "step.timed_out"
        | "step.skipped"
        | "step.cancelled"
        | "step.retry_scheduled"
        | "step.lease_expired" => {
            let why =
                data["error"]["message"].as_str().or_else(|| data["reason"].as_str()).map(|why| format!(": {why}")).unwrap_or_default();
            output::note(format_args!("  {} {}{why}", text("name"), event.trim_start_matches("step.")));
        }
        _ => {}
    }
}
