//! `sse_ms_p50`, `sse_ms_p99`: commit of an event to its arrival at each of 100 open SSE clients.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;

use super::fixture::Fixture;
use crate::api::Api;
use crate::bench::report::{Report, milliseconds};
use crate::exit::Error;
use crate::follow::Follower;

/// An event.
#[derive(Deserialize)]
struct Written {
    time: DateTime<Utc>,
}

pub(super) async fn measure(fixture: &Fixture, report: &mut Report) -> Result<(), Error> {
    let (sender, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let api = Api::new(fixture.url(""), fixture.token("viewer").to_owned());
        let sender = sender.clone();
        clients.spawn(async move {
            let mut follower = Follower::new(&api, "/api/events/stream", vec![("types", "run.created".to_owned())], None);
            while let Ok(event) = follower.next().await {
                drop(sender.send((Utc::now(), event)));
            }
        });
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let plan = json!({"goal": "sse", "steps": [{"name": "only", "tool": "noop"}]});
    for _ in 0..20 {
        fixture.submit(&plan).await?;
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    clients.abort_all();
    let mut samples = vec![];
    while let Ok((arrived, event)) = arrivals.try_recv() {
        let event: Written = serde_json::from_str(&event).map_err(Error::new)?;
        samples.push(milliseconds(arrived - event.time));
    }
    if samples.len() < 1900 {
        return Err(Error::new(format!("only {} of 2000 events arrived at the 100 clients", samples.len())));
    }
    report.put_percentiles("sse_ms", &mut samples);
    Ok(())
}
