//! `GET /api/events/stream`: server-sent events, replayed from `Last-Event-ID`, then live.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use nofx_shared::db::Db;
use nofx_shared::events::{CloudEvent, Cursor, EventFilter, EventRow, read_events};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::page::Query;
use crate::App;
use crate::feeds::{CHECK_EVERY, Credential, OpenStream};
use crate::http::{Authenticated, Params, Refusal};

/// The position of a stream. Events are sent in the order of their cursors, each once.
struct Follower {
    db: Db,
    filter: EventFilter,
    cursor: Cursor,
    live: Receiver<Arc<EventRow>>,
    replayed: VecDeque<EventRow>,
    /// Whether the log may still hold events before what is live.
    behind: bool,
    until: Instant,
    credential: Credential,
    /// When the credential is checked next.
    check_at: Instant,
    _open: Option<OpenStream>,
    /// The process is about to end.
    closing: CancellationToken,
    greeted: bool,
    ended: bool,
}

/// Stream events as they happen.
///
/// For every role. Server-sent events: `id` is the cursor, `event` the type, `data` a `CloudEvent`. With `Last-Event-ID` or `after` the
/// stream continues behind that event; otherwise the events of a run come from its beginning, those of the tenant from now on. The stream
/// ends after a while with the event `reconnect`: connect again with the last id and miss nothing. It also ends when the credential is revoked or
/// expires; a caller may have 32 streams at once, a tenant 512.
#[utoipa::path(get, path = "/events/stream", security(("bearer" = [])),
    params(("after" = Option<String>, Query), ("types" = Option<String>, Query), ("run_id" = Option<uuid::Uuid>, Query),
        ("Last-Event-ID" = Option<String>, Header)),
    responses((status = 200, description = "The stream.", body = String, content_type = "text/event-stream")))]
pub(crate) async fn stream_events(
    State(app): State<App>,
    caller: Authenticated,
    Params(query): Params<Query>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let filter = query.filter();
    let resumed = headers.get("last-event-id").and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    let after = resumed.or(query.cursor()?);
    let open = app.hub().open(&caller)?;
    // Subscribed before the replay: what comes in between is in both, and skipped by its cursor.
    let live = app.hub().subscribe(caller.tenant).await?;
    let follower = Follower {
        db: app.db(&caller),
        filter,
        live,
        // Without a cursor the events of a run are sent from its beginning, those of a tenant from now on.
        behind: after.is_some() || query.run_id.is_some(),
        cursor: after.unwrap_or_default(),
        replayed: VecDeque::new(),
        until: Instant::now() + app.settings().stream,
        credential: app.hub().credential(&caller),
        check_at: Instant::now() + CHECK_EVERY,
        _open: Some(open),
        closing: app.closing().clone(),
        greeted: false,
        ended: false,
    };
    let sse = Sse::new(follow(follower)).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)).text("heartbeat"));
    let mut response = sse.into_response();
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn follow(follower: Follower) -> impl Stream<Item = Result<SseEvent, Infallible>> {
    futures::stream::unfold(follower, |mut follower| async move {
        if follower.ended {
            return None;
        }
        let event = follower.next().await;
        Some((Ok(event), follower))
    })
}

impl Follower {
    async fn next(&mut self) -> SseEvent {
        if !self.greeted {
            self.greeted = true;
            return SseEvent::default().comment("connected").retry(Duration::from_millis(500));
        }
        loop {
            if Instant::now() >= self.check_at {
                if !self.credential.is_active().await {
                    return self.end();
                }
                self.check_at = Instant::now() + CHECK_EVERY;
            }
            if let Some(row) = self.replayed.pop_front() {
                self.cursor = row.cursor();
                return send(row);
            }
            if self.behind {
                match read_events(&self.db, self.cursor, &self.filter, 500).await {
                    Ok(rows) => {
                        self.behind = !rows.is_empty();
                        self.replayed.extend(rows);
                        continue;
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a stream could not replay events; the client will reconnect");
                        return self.end();
                    }
                }
            }
            let received = tokio::select! {
                received = tokio::time::timeout_at(self.until.min(self.check_at), self.live.recv()) => received,
                () = self.closing.cancelled() => return self.end(),
            };
            match received {
                Err(_) if Instant::now() < self.until => {}
                Err(_) => return self.end(),
                Ok(Err(RecvError::Closed)) => return self.end(),
                // Too slow for the feed: the log has it all.
                Ok(Err(RecvError::Lagged(_))) => self.behind = true,
                Ok(Ok(row)) if row.cursor() > self.cursor => {
                    if self.filter.matches(&row) {
                        self.cursor = row.cursor();
                        return send(row.as_ref().clone());
                    }
                }
                Ok(Ok(_)) => {}
            }
        }
    }

    fn end(&mut self) -> SseEvent {
        self.ended = true;
        SseEvent::default().event("reconnect").data("{}").retry(Duration::from_millis(500))
    }
}

fn send(row: EventRow) -> SseEvent {
    let event = CloudEvent::from(row);
    let data = serde_json::to_string(&event).expect("events are JSON");
    SseEvent::default().id(&event.id).event(&event.r#type).data(data)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::sync::broadcast;

    use super::*;

    #[tokio::test]
    async fn what_was_replayed_is_not_sent_again() {
        let (sender, live) = broadcast::channel(2);
        for id in [1, 2] {
            let row = json!({"id": id, "tx": 1, "tenant_id": uuid::Uuid::nil(), "type": "run.created", "data": {}, "created_at": "2026-01-01T00:00:00Z",
                "origin": {}});
            sender.send(Arc::new(serde_json::from_value(row).expect("a row"))).expect("it is listened to");
        }
        let sent = Cursor { tx: 1, id: 1 };
        let db = Db::new("http://127.0.0.1:1", "", "");
        let mut follower = Follower {
            db: db.clone(),
            filter: EventFilter::default(),
            cursor: sent,
            live,
            replayed: VecDeque::new(),
            behind: false,
            until: Instant::now() + Duration::from_secs(60),
            credential: Credential::unchecked(),
            check_at: Instant::now() + Duration::from_secs(60),
            _open: None,
            closing: CancellationToken::new(),
            greeted: true,
            ended: false,
        };
        drop(follower.next().await);
        assert_eq!(follower.cursor, Cursor { id: 2, ..sent });
    }
}
