//! `nofx events`

use nofx_shared::auth::Role;

use crate::api::Api;
use crate::exit::{Exit, Outcome};
use crate::follow::Follower;
use crate::output;
use crate::target::Target;

#[derive(clap::Args)]
pub(crate) struct Events {
    /// Keep streaming new events.
    #[arg(long)]
    pub follow: bool,
    /// Only events of this run.
    #[arg(long)]
    pub run: Option<uuid::Uuid>,
    /// Only these types, comma-separated.
    #[arg(long)]
    pub types: Option<String>,
}

pub(crate) async fn run(target: &Target, options: Events) -> Outcome {
    let api = Api::find(target, Role::Viewer)?;
    let run = options.run.map(|run| ("run_id", run.to_string()));
    let filters: Vec<(&'static str, String)> = run.into_iter().chain(options.types.map(|types| ("types", types))).collect();
    let mut after = "0-0".to_owned();
    loop {
        let mut query = vec![("limit", "100"), ("after", after.as_str())];
        query.extend(filters.iter().map(|(name, value)| (*name, value.as_str())));
        let page = api.list("/api/events", &query).await?;
        for event in page["data"].as_array().into_iter().flatten() {
            output::line(format_args!("{event}"));
            after = event["id"].as_str().unwrap_or_default().to_owned();
        }
        if page["next_cursor"].is_null() {
            break;
        }
    }
    if !options.follow {
        return Ok(Exit::Succeeded);
    }
    let mut follower = Follower::new(&api, "/api/events/stream", filters, Some(after));
    loop {
        output::line(format_args!("{}", follower.next().await?));
    }
}
