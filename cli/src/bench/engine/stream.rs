//! `sse_ms_p50`, `sse_ms_p99`: commit of an event to its arrival at each of 100 open SSE clients.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::fixture::Fixture;
use crate::bench::report::{Report, milliseconds};
use crate::exit::Error;

pub(super) async fn measure(fixture: &Fixture, report: &mut Report) -> Result<(), Error> {
    let (sender, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let request = fixture.http.get(fixture.url("/api/events/stream?types=run.created")).bearer_auth(fixture.token("viewer"));
        let sender = sender.clone();
        clients.spawn(async move {
            let Ok(mut response) = request.send().await else { return };
            while let Ok(Some(chunk)) = response.chunk().await {
                let text = String::from_utf8_lossy(&chunk).into_owned();
                if let Some(time) = text.split("\"time\":\"").nth(1).and_then(|rest| rest.split('"').next()) {
                    drop(sender.send((Utc::now(), time.to_owned())));
                }
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
    while let Ok((arrived, written)) = arrivals.try_recv() {
        samples.push(milliseconds(arrived - written.parse::<DateTime<Utc>>().map_err(Error::new)?));
    }
    if samples.len() < 1900 {
        return Err(Error::new(format!("only {} of 2000 events arrived at the 100 clients", samples.len())));
    }
    report.put_percentiles("sse_ms", &mut samples);
    Ok(())
}
