//! One connection of an event stream: its bytes as events, within limits. The format: HTML Living Standard, 9.2 Server-sent events.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::{Stream, StreamExt};
use reqwest::Response;
use sse_stream::{Error, Sse, SseStream};

/// The API sends a comment every 15 s: after three that did not arrive, the connection is taken for dead.
pub(super) const SILENCE: Duration = Duration::from_secs(45);
/// Longest event.
const EVENT_BYTES: usize = 16 << 20;

pub(super) struct Connection {
    events: Pin<Box<dyn Stream<Item = Result<Sse, Error>> + Send>>,
    /// Bytes that arrived since the last event.
    pending: Arc<AtomicUsize>,
}

/// Why no more events come from a connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum Interruption {
    /// Another connection continues.
    #[error("{0}")]
    Temporary(String),
    /// Another connection would bring the same.
    #[error("what the server sends is no event stream: {0}")]
    Invalid(String),
}

/// Why no more bytes come.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("the connection broke")]
    Read,
    #[error("nothing arrived for {} s", .0.as_secs())]
    Silent(Duration),
    #[error("an event has more than {EVENT_BYTES} bytes")]
    TooLong,
}

impl Connection {
    /// The events of a response, which is given up after a silence.
    pub(super) fn new(response: Response, silence: Duration) -> Self {
        let pending = Arc::new(AtomicUsize::new(0));
        let bytes = futures::stream::unfold((response, Arc::clone(&pending)), move |(mut response, pending)| async move {
            let chunk = match tokio::time::timeout(silence, response.chunk()).await {
                Err(_) => Err(Broken::Silent(silence)),
                Ok(Err(_)) => Err(Broken::Read),
                Ok(Ok(chunk)) => Ok(chunk?),
            };
            let chunk = chunk.and_then(|chunk| {
                let before = pending.fetch_add(chunk.len(), Ordering::Relaxed);
                if before + chunk.len() > EVENT_BYTES { Err(Broken::TooLong) } else { Ok(chunk) }
            });
            Some((chunk, (response, pending)))
        });
        Self { events: Box::pin(SseStream::from_bytes_stream(bytes)), pending }
    }

    /// The next event; none when the stream ended. An event that was cut off is none: it has no end.
    pub(super) async fn next(&mut self) -> Result<Option<Sse>, Interruption> {
        let event = self.events.next().await.transpose();
        self.pending.store(0, Ordering::Relaxed);
        event.map_err(|error| match error {
            Error::Body(cause) => match cause.downcast_ref::<Broken>() {
                Some(Broken::TooLong) => Interruption::Invalid(cause.to_string()),
                _ => Interruption::Temporary(cause.to_string()),
            },
            error => Interruption::Invalid(error.to_string()),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use futures::StreamExt;
    use futures::stream::{iter, pending, repeat};
    use reqwest::{Body, Response};

    use super::{Connection, Interruption, SILENCE};

    fn response(body: Body) -> Response {
        Response::from(axum::http::Response::new(body))
    }

    #[tokio::test]
    async fn a_connection_that_is_silent_is_taken_for_dead() {
        let body = iter(["data: a\n\n"]).chain(pending()).map(Ok::<_, Infallible>);
        let mut connection = Connection::new(response(Body::wrap_stream(body)), Duration::from_millis(50));
        assert_eq!(connection.next().await.expect("it was there").expect("an event").data.as_deref(), Some("a"));
        assert!(matches!(connection.next().await, Err(Interruption::Temporary(why)) if why.contains("nothing arrived")));
    }

    #[tokio::test]
    async fn an_event_without_end_is_not_collected_and_many_short_ones_are_read() {
        let endless = response(Body::wrap_stream(repeat("data: x\n".repeat(8192)).map(Ok::<_, Infallible>)));
        let error = Connection::new(endless, SILENCE).next().await.expect_err("it never ends");
        assert!(matches!(&error, Interruption::Invalid(why) if why.contains("more than")), "{error}");
        let event = format!("data: {}\n\n", "x".repeat(1 << 20));
        let many = response(Body::wrap_stream(repeat(event).take(20).map(Ok::<_, Infallible>)));
        let mut connection = Connection::new(many, SILENCE);
        let mut events = 0;
        while connection.next().await.expect("they are short").is_some() {
            events += 1;
        }
        assert_eq!(events, 20);
    }

    #[tokio::test]
    async fn what_is_no_event_stream_is_an_error() {
        for text in [&b"<html>\n"[..], b"nonsense: 1\n\n", b"retry: soon\n\n", b"data: \xff\n\n"] {
            let error = Connection::new(response(Body::from(text)), SILENCE).next().await.expect_err("it is none");
            assert!(matches!(error, Interruption::Invalid(_)), "{error}");
        }
    }
}
