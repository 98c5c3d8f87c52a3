//! Receives announcements of new events of a tenant from Supabase Realtime, for feeds that have no direct connection. A Phoenix channel
//! over a WebSocket (protocol 1.0.0): join, heartbeat, a new token before the old one expires, and joining again with backoff whenever the
//! connection is lost. A message is a hint and may be lost: feeds poll the log, too.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, interval, timeout};
use tokio_tungstenite::tungstenite::{self, Message};
use uuid::Uuid;

use super::viewer::viewer_token;
use crate::net;
use crate::settings::Supabase;

/// Realtime closes a socket that is silent for a minute.
const HEARTBEAT: Duration = Duration::from_secs(25);
/// Shorter than a token's life.
const NEW_TOKEN: Duration = Duration::from_secs(200);
const DEADLINE: Duration = Duration::from_secs(10);
const BACKOFF: [u64; 6] = [100, 500, 1000, 2000, 5000, 10_000];

/// Why the topic cannot be followed.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Socket(#[from] tungstenite::Error),
    #[error("the channel was refused: {0}")]
    Refused(String),
    #[error("no response within {} s", DEADLINE.as_secs())]
    Silent,
    #[error("the socket was closed")]
    Closed,
}

/// Counts up with every message on the tenant's topic, for as long as the receiver is held.
pub(super) fn listen(supabase: Supabase, jwt_secret: String, tenant: Uuid) -> watch::Receiver<u64> {
    let (tick, written) = watch::channel(0);
    tokio::spawn(async move {
        let mut failures = 0;
        while !tick.is_closed() {
            let begun = Instant::now();
            tokio::select! {
                Err(error) = follow(&supabase, &jwt_secret, tenant, &tick) => tracing::warn!(error = &error as &dyn std::error::Error, "Realtime is unavailable"),
                () = tick.closed() => return,
            }
            // After a long connection the backoff starts again.
            failures = if begun.elapsed() > Duration::from_secs(60) { 0 } else { failures + 1 };
            let wait = BACKOFF[failures.min(BACKOFF.len() - 1)];
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
    });
    written
}

async fn follow(supabase: &Supabase, jwt_secret: &str, tenant: Uuid, tick: &watch::Sender<u64>) -> Result<(), Error> {
    // http → ws, https → wss.
    let base = supabase.url.replacen("http", "ws", 1);
    let url = format!("{base}/realtime/v1/websocket?vsn=1.0.0&apikey={}", supabase.anon_key);
    let mut socket = timeout(DEADLINE, net::open_socket(&url)).await.map_err(|_| Error::Silent)??;
    let topic = format!("realtime:tenant:{tenant}");
    let message = |event: &str, payload: Value| {
        let on = if event == "heartbeat" { "phoenix" } else { &topic };
        Message::text(json!({"topic": on, "event": event, "payload": payload, "ref": "1", "join_ref": "1"}).to_string())
    };
    let config = json!({"broadcast": {"self": false, "ack": false}, "presence": {"key": ""}, "postgres_changes": [], "private": true});
    socket.send(message("phx_join", json!({"config": config, "access_token": viewer_token(jwt_secret, tenant)}))).await?;
    let (mut heartbeat, mut token) = (interval(HEARTBEAT), interval(NEW_TOKEN));
    token.tick().await;
    let joining = Instant::now() + DEADLINE;
    let mut joined = false;
    loop {
        tokio::select! {
            received = socket.next() => match received.ok_or(Error::Closed)?? {
                Message::Text(text) => {
                    let message: Value = serde_json::from_str(&text).unwrap_or_default();
                    match (message["topic"].as_str(), message["event"].as_str()) {
                        (Some(on), Some("phx_reply")) if on == topic && !joined => {
                            if message["payload"]["status"] != "ok" {
                                return Err(Error::Refused(message["payload"]["response"]["reason"].to_string()));
                            }
                            joined = true;
                            // For events that were written before the join.
                            tick.send_modify(|n| *n += 1);
                        }
                        (Some(on), Some("broadcast")) if on == topic => tick.send_modify(|n| *n += 1),
                        (Some(on), Some("phx_close" | "phx_error")) if on == topic => return Err(Error::Closed),
                        _ => {}
                    }
                }
                Message::Close(_) => return Err(Error::Closed),
                _ => {}
            },
            _ = heartbeat.tick() => socket.send(message("heartbeat", json!({}))).await?,
            _ = token.tick() => socket.send(message("access_token", json!({"access_token": viewer_token(jwt_secret, tenant)}))).await?,
            () = tokio::time::sleep_until(joining), if !joined => return Err(Error::Silent),
        }
    }
}
