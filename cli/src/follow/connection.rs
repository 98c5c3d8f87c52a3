//! One connection of an event stream: its bytes as events, within limits. The format: HTML Living Standard, 9.2 Server-sent events.

use std::pin::Pin;
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
}

/// The bytes of the event that is not complete: those of its lines, without comments, and of the line that has no end yet.
#[derive(Default)]
struct Pending {
    event: usize,
    line: usize,
    is_comment: bool,
    /// Whether the last byte was a carriage return: a line feed after it ends no other line.
    is_after_return: bool,
}

impl Pending {
    /// Adds what arrived; whether it may become an event that is too long.
    fn add(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes {
            let is_after_return = std::mem::replace(&mut self.is_after_return, *byte == b'\r');
            match (byte, self.line) {
                (b'\n', _) if is_after_return => {}
                (b'\n' | b'\r', 0) => self.event = 0,
                (b'\n' | b'\r', line) => {
                    self.event += if self.is_comment { 0 } else { line };
                    self.line = 0;
                }
                (first, 0) => (self.line, self.is_comment) = (1, *first == b':'),
                _ => self.line += 1,
            }
            if self.event + self.line > EVENT_BYTES {
                return false;
            }
        }
        true
    }
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
enum StreamError {
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
        let state = (response, Pending::default());
        let bytes = futures::stream::unfold(state, move |(mut response, mut pending)| async move {
            let chunk = match tokio::time::timeout(silence, response.chunk()).await {
                Err(_) => Err(StreamError::Silent(silence)),
                Ok(Err(_)) => Err(StreamError::Read),
                Ok(Ok(chunk)) => Ok(chunk?),
            };
            let chunk = chunk.and_then(|chunk| if pending.add(&chunk) { Ok(chunk) } else { Err(StreamError::TooLong) });
            Some((chunk, (response, pending)))
        });
        Self { events: Box::pin(SseStream::from_bytes_stream(bytes)) }
    }

    /// The next event; none when the stream ended. An event that was cut off is none: it has no end.
    pub(super) async fn next(&mut self) -> Result<Option<Sse>, Interruption> {
        let event = self.events.next().await.transpose();
        event.map_err(|error| match error {
            Error::Body(cause) => match cause.downcast_ref::<StreamError>() {
                Some(StreamError::TooLong) => Interruption::Invalid(cause.to_string()),
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
        for lines in ["data: x\n", "data: x\r\n", "data: x\r", "data: x\n: comment\n", "data: x\r\n:\r\n", ":", "data"] {
            let endless = response(Body::wrap_stream(repeat(lines.repeat(8192)).map(Ok::<_, Infallible>)));
            let error = Connection::new(endless, SILENCE).next().await.expect_err("it never ends");
            assert!(matches!(&error, Interruption::Invalid(why) if why.contains("more than")), "{lines:?}: {error}");
        }
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
    async fn comments_are_no_part_of_an_event() {
        for comment in [": still here\n", ": still here\r\n", ":\n\n"] {
            let comments = comment.repeat((64 << 10) / comment.len());
            let body = iter(["data: a\n".to_owned()]).chain(repeat(comments).take(300)).chain(iter(["data: b\n\n".to_owned()]));
            let mut connection = Connection::new(response(Body::wrap_stream(body.map(Ok::<_, Infallible>))), SILENCE);
            let event = connection.next().await.expect("it is short").expect("an event");
            assert!(event.data.is_some_and(|data| data.starts_with('a')), "after 18 MiB of {comment:?}");
        }
    }

    #[tokio::test]
    async fn what_is_no_event_stream_is_an_error() {
        for text in [&b"<html>\n"[..], b"nonsense: 1\n\n", b"retry: soon\n\n", b"data: \xff\n\n"] {
            let error = Connection::new(response(Body::from(text)), SILENCE).next().await.expect_err("it is none");
            assert!(matches!(error, Interruption::Invalid(_)), "{error}");
        }
    }
}
