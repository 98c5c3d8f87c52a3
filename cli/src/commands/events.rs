//! `nofx events`

use std::io::Write;

use nofx_shared::auth::Role;

use crate::api::Api;
use crate::exit::{Error, Exit, Outcome};
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
    loop {
        let mut stream = Lines::new(api.stream(&format!("/api/events/stream?x=1{query}"), Some(&after)).await?);
        while let Some((id, data)) = stream.next_event().await? {
            output::line(format_args!("{data}"));
            std::io::stdout().flush().map_err(Error::new)?;
            after = id;
        }
    }
}

/// Server-sent events of a response, one by one.
pub(crate) struct Lines {
    response: reqwest::Response,
    buffer: String,
}

impl Lines {
    pub(crate) fn new(response: reqwest::Response) -> Self {
        Self { response, buffer: String::new() }
    }

    /// Id and data of the next event; none when the stream ended (the server ends it from time to time).
    pub(crate) async fn next_event(&mut self) -> Result<Option<(String, String)>, Error> {
        loop {
            while let Some((block, rest)) = self.buffer.split_once("\n\n") {
                let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim_start().to_owned());
                let (id, data) = (field("id:"), field("data:"));
                self.buffer = rest.to_owned();
                if let (Some(id), Some(data)) = (id, data) {
                    return Ok(Some((id, data)));
                }
            }
            match self.response.chunk().await {
                Ok(Some(chunk)) => self.buffer.push_str(&String::from_utf8_lossy(&chunk)),
                // A broken connection is followed by another: nothing is lost, the cursor says where to continue.
                Ok(None) | Err(_) => return Ok(None),
            }
        }
    }
}
