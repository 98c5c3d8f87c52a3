//! One socket: joins, leaves, heartbeats, tokens, broadcasts.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::authorise;
use super::frame::{Frame, Version};
use super::hub::{Broadcast, Realtime};
use crate::project::Project;

/// How long a join waits for the database.
const LISTENING: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
pub(super) struct Options {
    vsn: Option<String>,
}

pub(super) async fn connect(
    State(project): State<Arc<Project>>,
    State(realtime): State<Arc<Realtime>>,
    Query(options): Query<Options>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let version = if options.vsn.as_deref() == Some("2.0.0") { Version::Two } else { Version::One };
    upgrade.on_upgrade(move |socket| async move {
        realtime.open.send_modify(|open| *open += 1);
        Socket { project, version, joined: HashMap::new() }.serve(socket, &realtime).await;
        realtime.open.send_modify(|open| *open -= 1);
    })
}

/// A channel that was joined.
struct Channel {
    join_ref: Value,
    private: bool,
    /// Whether it receives its own broadcasts.
    own: bool,
}

struct Socket {
    project: Arc<Project>,
    version: Version,
    /// By the channel's topic, which has the prefix `realtime:`.
    joined: HashMap<String, Channel>,
}

impl Socket {
    async fn serve(mut self, mut socket: WebSocket, realtime: &Realtime) {
        let mut messages = realtime.messages.subscribe();
        loop {
            let out = tokio::select! {
                received = socket.recv() => match received {
                    Some(Ok(Message::Text(text))) => Frame::read(self.version, &text),
                    Some(Ok(Message::Binary(bytes))) => Frame::read_binary(&bytes),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                }
                .map(|frame| Received::Client(Box::new(frame))),
                message = messages.recv() => message.ok().map(Received::Message),
            };
            let frames = match out {
                Some(Received::Client(frame)) => self.answer(*frame, realtime).await,
                Some(Received::Message(message)) => self.forward(&message),
                None => vec![],
            };
            for frame in frames {
                if socket.send(Message::Text(frame.write(self.version).into())).await.is_err() {
                    return;
                }
            }
        }
    }

    async fn answer(&mut self, frame: Frame, realtime: &Realtime) -> Vec<Frame> {
        match frame.event.as_str() {
            "heartbeat" => vec![frame.reply("ok", &json!({}))],
            "phx_join" => self.join(&frame, realtime).await,
            "phx_leave" => {
                self.joined.remove(&frame.topic);
                vec![frame.reply("ok", &json!({})), Frame::push(&frame.topic, "phx_close", json!({}))]
            }
            "broadcast" => {
                if let (Some(channel), Some(topic)) = (self.joined.get(&frame.topic), frame.topic.strip_prefix("realtime:")) {
                    let event = frame.payload["event"].as_str().unwrap_or_default().to_owned();
                    let message =
                        Broadcast { topic: topic.to_owned(), event, payload: frame.payload["payload"].clone(), private: channel.private };
                    if channel.own {
                        drop(realtime.messages.send(Arc::new(message)));
                    }
                }
                vec![frame.reply("ok", &json!({}))]
            }
            // Tokens are checked at the join only; a real server closes channels whose token has run out.
            _ => vec![],
        }
    }

    async fn join(&mut self, frame: &Frame, realtime: &Realtime) -> Vec<Frame> {
        let refuse = |reason: &str| vec![frame.reply("error", &json!({"reason": reason}))];
        let Some(topic) = frame.topic.strip_prefix("realtime:") else { return refuse("unmatched topic") };
        let config = &frame.payload["config"];
        let private = config["private"].as_bool().unwrap_or(false);
        let token = frame.payload["access_token"].as_str().unwrap_or(&self.project.anon_key);
        let Ok(claims) = self.project.verify(token) else { return refuse("InvalidJWTToken: Invalid token") };
        if private {
            match authorise::may_read(&realtime.db_url, &claims, topic).await {
                Ok(true) => {}
                Ok(false) => return refuse(&format!("Unauthorized: You do not have permissions to read from this Channel topic: {topic}")),
                Err(error) => {
                    tracing::warn!(%error, "could not check who may join a topic");
                    return refuse("DatabaseLackOfConnections: no response from the database");
                }
            }
        }
        // A client that joined expects everything that is written from then on.
        let mut listening = realtime.listening.subscribe();
        if tokio::time::timeout(LISTENING, listening.wait_for(|listening| *listening)).await.is_err() {
            return refuse("DatabaseLackOfConnections: no response from the database");
        }
        let own = config["broadcast"]["self"].as_bool().unwrap_or(false);
        self.joined.insert(frame.topic.clone(), Channel { join_ref: frame.join_ref.clone(), private, own });
        let wanted = config["postgres_changes"].as_array().cloned().unwrap_or_default();
        let changes: Vec<Value> = (1..)
            .zip(wanted)
            .map(|(id, mut change)| {
                change["id"] = json!(id);
                change
            })
            .collect();
        vec![frame.reply("ok", &json!({"postgres_changes": changes}))]
    }

    fn forward(&self, message: &Broadcast) -> Vec<Frame> {
        let topic = format!("realtime:{}", message.topic);
        let Some(channel) = self.joined.get(&topic).filter(|channel| channel.private == message.private) else { return vec![] };
        let payload = json!({"type": "broadcast", "event": message.event, "payload": message.payload});
        let frame = Frame::push(&topic, "broadcast", payload);
        // Version 1 clients look at the join's reference.
        vec![if self.version == Version::One { Frame { join_ref: channel.join_ref.clone(), ..frame } } else { frame }]
    }
}

enum Received {
    Client(Box<Frame>),
    Message(Arc<Broadcast>),
}
