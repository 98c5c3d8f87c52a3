//! `nofx dlq inspect|requeue|purge`

use clap::Subcommand;
use nofx_shared::auth::Role;
use nofx_shared::containment::DeadLetterSelector;
use serde_json::Value;

use crate::api::Api;
use crate::exit::{Error, Exit, Outcome};
use crate::output;
use crate::target::Target;

#[derive(Subcommand)]
pub(crate) enum Dlq {
    /// List dead letters, or show one with its errors, inputs and evidence.
    Inspect(InspectDlq),
    /// Requeue dead letters; their runs continue.
    Requeue(DlqSelector),
    /// Purge dead letters; their steps stay failed.
    Purge(DlqSelector),
}

#[derive(clap::Args)]
pub(crate) struct InspectDlq {
    /// Id of one dead letter.
    pub id: Option<uuid::Uuid>,
    /// Only dead letters of this tool.
    #[arg(long)]
    pub tool: Option<String>,
    #[arg(long, default_value_t = 50)]
    pub limit: u16,
}

/// Filters; a dead letter must match all that are set.
#[derive(clap::Args)]
pub(crate) struct DlqSelector {
    /// Ids, as `nofx dlq inspect` shows them.
    pub ids: Vec<uuid::Uuid>,
    /// Dead letters of this tool.
    #[arg(long)]
    pub tool: Option<String>,
    /// Dead letters of this run.
    #[arg(long)]
    pub run: Option<uuid::Uuid>,
    /// exhausted or poison.
    #[arg(long)]
    pub reason: Option<String>,
    /// Dead-lettered before this time (RFC 3339).
    #[arg(long)]
    pub before: Option<chrono::DateTime<chrono::Utc>>,
    /// All dead letters.
    #[arg(long)]
    pub all: bool,
    /// Maximum number, oldest first.
    #[arg(long, default_value_t = 100)]
    pub limit: u32,
    /// Show what would be done.
    #[arg(long)]
    pub dry_run: bool,
}

pub(crate) async fn run(target: &Target, command: Dlq) -> Outcome {
    match command {
        Dlq::Inspect(options) => inspect(target, options.id.map(|id| id.to_string()), options.tool, options.limit).await,
        Dlq::Requeue(selector) => act(target, "requeue", selector, Role::Contributor).await,
        Dlq::Purge(selector) => act(target, "purge", selector, Role::Supervisor).await,
    }
}

async fn inspect(target: &Target, id: Option<String>, tool: Option<String>, limit: u16) -> Outcome {
    let api = Api::find(target, Role::Viewer)?;
    if let Some(id) = id {
        let dead_letter = api.get(&format!("/api/dlq/{id}")).await?;
        if target.json {
            output::line(format_args!("{dead_letter}"));
        } else {
            output::document(&serde_json::to_string_pretty(&dead_letter).map_err(Error::new)?);
        }
        return Ok(Exit::Succeeded);
    }
    let limit = limit.to_string();
    let mut query = vec![("limit", limit.as_str())];
    query.extend(tool.as_deref().map(|tool| ("tool", tool)));
    let page = api.list("/api/dlq", &query).await?;
    if target.json {
        output::line(format_args!("{page}"));
        return Ok(Exit::Succeeded);
    }
    let dead_letters = page["data"].as_array().cloned().unwrap_or_default();
    if dead_letters.is_empty() {
        output::note(format_args!("nofx: the DLQ is empty"));
    }
    for dead_letter in &dead_letters {
        let text = |key: &str| dead_letter[key].as_str().unwrap_or_default().to_owned();
        let message = dead_letter["error"]["message"].as_str().unwrap_or_default();
        output::line(format_args!(
            "{}  {:<9} {:<16} {} attempts  {}  run {}  ({message})",
            text("id"),
            text("reason"),
            text("tool"),
            dead_letter["attempts"],
            text("name"),
            text("run_id")
        ));
    }
    Ok(Exit::Succeeded)
}

async fn act(target: &Target, verb: &str, options: DlqSelector, role: Role) -> Outcome {
    let selector = DeadLetterSelector {
        ids: (!options.ids.is_empty()).then_some(options.ids),
        tool: options.tool,
        run_id: options.run,
        reason: options.reason.map(|reason| serde_json::from_value(Value::String(reason))).transpose().map_err(Error::new)?,
        before: options.before,
        all: options.all,
        limit: Some(options.limit),
        dry_run: options.dry_run,
    };
    if selector.is_empty() {
        return Err(Error::new("select by id, --tool, --run, --reason or --before, or pass --all"));
    }
    let body = serde_json::to_value(&selector).map_err(Error::new)?;
    let answer = Api::find(target, role)?.post(&format!("/api/dlq/{verb}"), &body).await?;
    if target.json {
        output::line(format_args!("{answer}"));
    } else {
        let done = if verb == "requeue" { "requeued" } else { "purged" };
        let would = if selector.dry_run { "would be " } else { "" };
        for id in answer[done].as_array().into_iter().flatten() {
            output::line(format_args!("{} {would}{done}", id.as_str().unwrap_or_default()));
        }
        for one in answer["refused"].as_array().into_iter().flatten() {
            output::note(format_args!(
                "nofx: {} was not {done}: {}",
                one["id"].as_str().unwrap_or_default(),
                one["reason"].as_str().unwrap_or_default()
            ));
        }
    }
    let ids = |list: &Value| {
        list.as_array()
            .into_iter()
            .flatten()
            .filter_map(|one| one.as_str().or_else(|| one["id"].as_str()).map(str::to_owned))
            .collect::<Vec<_>>()
    };
    let (done, refused) = (ids(&answer[if verb == "requeue" { "requeued" } else { "purged" }]), ids(&answer["refused"]));
    let missing: Vec<String> =
        selector.ids.iter().flatten().map(ToString::to_string).filter(|id| !done.contains(id) && !refused.contains(id)).collect();
    for id in &missing {
        output::note(format_args!("nofx: {id} is not in the DLQ"));
    }
    if done.is_empty() && refused.is_empty() && missing.is_empty() {
        output::note(format_args!("nofx: no dead letters match"));
    }
    Ok(if refused.is_empty() && missing.is_empty() { Exit::Succeeded } else { Exit::Refused })
}
