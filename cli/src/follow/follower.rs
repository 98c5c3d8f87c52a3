//! Reads a stream and reconnects: each event once, in order, from the last one on.

use std::time::Duration;

use nofx_shared::net;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Response, StatusCode};

use super::connection::{Connection, Interruption, SILENCE};
use super::pause::Pause;
use crate::api::Api;
use crate::exit::Error;
use crate::output;

/// A stream's reader.
pub(crate) struct Follower<'a> {
    api: &'a Api,
    path: &'static str,
    query: Vec<(&'static str, String)>,
    /// The id of the last event: where the next connection continues.
    last: Option<String>,
    connection: Option<Connection>,
    pause: Pause,
}

impl<'a> Follower<'a> {
    /// Connects when the first event is wanted. `last`: the id of the event after which to begin; none for where the API begins.
    pub(crate) fn new(api: &'a Api, path: &'static str, query: Vec<(&'static str, String)>, last: Option<String>) -> Self {
        Self { api, path, query, last, connection: None, pause: Pause::new() }
    }

    /// The next event's data, however many connections that takes. An error says why there will be none: the API refuses the request, or
    /// its response is no event stream.
    pub(crate) async fn next(&mut self) -> Result<String, Error> {
        loop {
            let Some(connection) = &mut self.connection else {
                self.connect().await?;
                continue;
            };
            match connection.next().await {
                Ok(Some(event)) => {
                    self.pause.reset(event.retry);
                    // What has no id is not of the event log: the first `retry`, and the goodbye before a stream ends.
                    if let (Some(id), Some(data)) = (event.id, event.data) {
                        self.last = Some(id);
                        return Ok(data);
                    }
                }
                Ok(None) => self.reconnect(None, None).await,
                Err(Interruption::Temporary(why)) => self.reconnect(Some(&why), None).await,
                Err(invalid @ Interruption::Invalid(_)) => return Err(Error::new(format!("{}: {invalid}", self.path))),
            }
        }
    }

    async fn connect(&mut self) -> Result<(), Error> {
        match tokio::time::timeout(SILENCE, self.api.open_stream(self.path, &self.query, self.last.as_deref())).await {
            Ok(Ok(response)) => return self.take(response).await,
            Ok(Err(error)) => self.reconnect(Some(&error.to_string()), None).await,
            Err(_) => self.reconnect(Some("no response"), None).await,
        }
        Ok(())
    }

    async fn take(&mut self, response: Response) -> Result<(), Error> {
        let status = response.status();
        if is_temporary(status) {
            let asked = net::retry_after(response.headers());
            self.reconnect(Some(&format!("the API returned {status}")), asked).await;
        } else if status != StatusCode::OK {
            return Err(Api::refusal(response).await);
        } else if !is_event_stream(&response) {
            return Err(Error::new(format!("{} is no event stream: check --api-url", self.path)));
        } else {
            self.connection = Some(Connection::new(response, SILENCE));
        }
        Ok(())
    }

    /// Waits; the next call connects. A reason is printed, the end of a stream is none: the API ends each after some minutes.
    async fn reconnect(&mut self, why: Option<&str>, asked: Option<Duration>) {
        self.connection = None;
        let wait = self.pause.next(asked);
        if let Some(why) = why {
            output::note(format_args!("nofx: the event stream was interrupted: {why}; reconnecting in {:.1} s", wait.as_secs_f64()));
        }
        tokio::time::sleep(wait).await;
    }
}

/// Whether the same request may succeed later.
fn is_temporary(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS)
}

fn is_event_stream(response: &Response) -> bool {
    let media_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media_type.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case("text/event-stream"))
}
