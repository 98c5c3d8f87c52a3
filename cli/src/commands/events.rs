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
    let mut query = String::new();
    if let Some(run) = options.run {
        query.push_str(&format!("&run_id={run}"));
    }
    if let Some(types) = &options.types {
        query.push_str(&format!("&types={types}"));
    }
    let mut after = "0-0".to_owned();
    loop {
        let page = api.get(&format!("/api/events?limit=100&after={after}{query}")).await?;
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
    let mut follower = Follower::new(&api, format!("/api/events/stream?x=1{query}"), Some(after));
    loop {
        output::line(format_args!("{}", follower.next().await?));
    }
}
