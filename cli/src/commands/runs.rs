//! `nofx runs`

use nofx_shared::auth::Role;

use crate::api::Api;
use crate::exit::{Exit, Outcome};
use crate::output;
use crate::target::Target;

#[derive(clap::Args)]
pub(crate) struct Runs {
    /// queued, running, paused, cancelling, succeeded, failed or cancelled.
    #[arg(long)]
    pub status: Option<String>,
    /// Only runs waiting for approval.
    #[arg(long)]
    pub needs_approval: bool,
    #[arg(long, default_value_t = 20)]
    pub limit: u16,
}

pub(crate) async fn run(target: &Target, options: Runs) -> Outcome {
    let limit = options.limit.to_string();
    let mut query = vec![("limit", limit.as_str())];
    query.extend(options.status.as_deref().map(|status| ("status", status)));
    query.extend(options.needs_approval.then_some(("needs_approval", "true")));
    let page = Api::find(target, Role::Viewer)?.list("/api/runs", &query).await?;
    if target.json {
        output::line(format_args!("{page}"));
        return Ok(Exit::Succeeded);
    }
    for run in page["data"].as_array().into_iter().flatten() {
        let text = |key: &str| run[key].as_str().unwrap_or_default().to_owned();
        let total = run["steps_total"].as_u64().unwrap_or(0);
        let done = total.saturating_sub(run["open_steps"].as_u64().unwrap_or(0));
        let why = run["error"]["message"].as_str().map(|message| format!("  ({message})")).unwrap_or_default();
        output::line(format_args!("{}  {:<10} {done:>4}/{total:<4} {}{why}", text("id"), text("status"), text("goal")));
    }
    Ok(Exit::Succeeded)
}
