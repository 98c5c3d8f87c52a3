//! `POST /realtime/v1/api/broadcast`: messages from outside the database.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::authorise::may_read;
use super::hub::{Broadcast, Realtime};
use crate::project::Project;

#[derive(Deserialize)]
pub(super) struct Messages {
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    topic: String,
    event: String,
    payload: Value,
    #[serde(default)]
    private: bool,
}

#[derive(Deserialize)]
pub(super) struct Options {
    #[serde(default)]
    private: bool,
}

/// A batch. A private message of a topic that the caller may not read is dropped silently, as the real one does.
pub(super) async fn send_many(
    State(project): State<Arc<Project>>,
    State(realtime): State<Arc<Realtime>>,
    headers: HeaderMap,
    Json(batch): Json<Messages>,
) -> Response {
    let Some(claims) = project.claims(&headers) else { return unauthorized() };
    for Message { topic, event, payload, private } in batch.messages {
        send(&realtime, &claims, Broadcast { topic, event, payload, private }).await;
    }
    StatusCode::ACCEPTED.into_response()
}

/// One message: the body is its payload.
pub(super) async fn send_one(
    State(project): State<Arc<Project>>,
    State(realtime): State<Arc<Realtime>>,
    Path((topic, event)): Path<(String, String)>,
    Query(options): Query<Options>,
    headers: HeaderMap,
    Json(payload): Json<Value>,
) -> Response {
    let Some(claims) = project.claims(&headers) else { return unauthorized() };
    send(&realtime, &claims, Broadcast { topic, event, payload, private: options.private }).await;
    StatusCode::ACCEPTED.into_response()
}

async fn send(realtime: &Realtime, claims: &Value, message: Broadcast) {
    let may =
        claims["role"] == "service_role" || !message.private || may_read(&realtime.db_url, claims, &message.topic).await.unwrap_or(false);
    if may {
        // No socket may have joined.
        drop(realtime.messages.send(Arc::new(message)));
    }
}

fn unauthorized() -> Response {
    (StatusCode::UNAUTHORIZED, Json(json!({"message": "Unauthorized"}))).into_response()
}
