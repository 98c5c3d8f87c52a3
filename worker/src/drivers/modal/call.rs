use std::sync::PoisonError;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::bridge::{Calls, Event, Refusal};
use crate::drivers::machine::Fault;

/// A request that is under way. Dropping it drops the request.
pub(super) struct Call {
    pub(super) id: u64,
    pub(super) events: mpsc::UnboundedReceiver<Event>,
    /// Lines.
    pub(super) requests: mpsc::Sender<String>,
    pub(super) calls: Calls,
}

/// What a request gave.
pub(super) enum Given {
    Stdout(Vec<u8>),
    Stderr(Vec<u8>),
    Done(Value),
}

impl Call {
    pub(super) async fn send(&self, mut message: Value) -> Result<(), ()> {
        message["id"] = json!(self.id);
        self.requests.send(message.to_string()).await.map_err(drop)
    }

    /// Sends input, or its end, and waits until it was taken. Output that comes first is handed to `sink`.
    pub(super) async fn feed(&mut self, bytes: Option<&[u8]>) -> Result<Option<Value>, Fault> {
        let sent = self.send(json!({"stdin": bytes.map(|bytes| STANDARD.encode(bytes))})).await;
        sent.map_err(|()| Fault::Gone("the bridge to Modal has ended".to_owned()))?;
        loop {
            match self.event().await? {
                Event::Ack(_) => return Ok(None),
                Event::Done(value) => return Ok(Some(value)),
                // A program that only takes input has nothing to say, but must not be held up by what it says.
                Event::Stdout(_) => self.take("stdout").await?,
                Event::Stderr(_) => self.take("stderr").await?,
                Event::Error(refusal) => return Err(refusal.into()),
            }
        }
    }

    /// The next output, or the end.
    pub(super) async fn next(&mut self) -> Result<Given, Fault> {
        loop {
            match self.event().await? {
                Event::Ack(_) => {}
                Event::Done(value) => return Ok(Given::Done(value)),
                Event::Error(refusal) => return Err(refusal.into()),
                Event::Stdout(text) => {
                    self.take("stdout").await?;
                    return Ok(Given::Stdout(decode(&text)?));
                }
                Event::Stderr(text) => {
                    self.take("stderr").await?;
                    return Ok(Given::Stderr(decode(&text)?));
                }
            }
        }
    }

    /// The end of a request without output.
    pub(super) async fn done(mut self) -> Result<Value, Fault> {
        loop {
            if let Given::Done(value) = self.next().await? {
                return Ok(value);
            }
        }
    }

    async fn event(&mut self) -> Result<Event, Fault> {
        self.events.recv().await.ok_or_else(|| Fault::Unavailable("the bridge to Modal has ended".to_owned()))
    }

    async fn take(&self, stream: &str) -> Result<(), Fault> {
        let sent = self.send(json!({"ack": stream})).await;
        sent.map_err(|()| Fault::Unavailable("the bridge to Modal has ended".to_owned()))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(calls) = self.calls.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            calls.remove(&self.id);
        }
        // The bridge forgets it then; one that is busy ends it when nobody takes its output.
        drop(self.requests.try_send(json!({"id": self.id, "op": "cancel"}).to_string()));
    }
}

fn decode(text: &str) -> Result<Vec<u8>, Fault> {
    STANDARD.decode(text).map_err(|error| Fault::Unavailable(format!("the bridge to Modal sent no base64: {error}")))
}

impl From<Refusal> for Fault {
    fn from(Refusal { kind, message: why }: Refusal) -> Self {
        match kind.as_str() {
            "busy" => Self::Busy { after: None, why },
            "gone" => Self::Gone(why),
            "refused" => Self::Refused(why),
            _ => Self::Unavailable(why),
        }
    }
}
