//! `Idempotency-Key`: the same request again gets the same response, for 24 hours.

use std::future::Future;

use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use nofx_shared::auth::Caller;
use nofx_shared::db::Db;
use nofx_shared::problem::{Kind, Problem};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Refusal, RequestParts};
use crate::App;

/// A request that may be repeated and has effect once.
pub(crate) struct IdempotentRequest<'a> {
    pub app: &'a App,
    pub caller: &'a Caller,
    pub parts: &'a RequestParts,
    pub body: &'a [u8],
}

impl IdempotentRequest<'_> {
    /// The key that the client chose, if it did.
    pub(crate) fn key(&self) -> Result<Option<&str>, Refusal> {
        let Some(key) = self.parts.headers.get("idempotency-key") else { return Ok(None) };
        let key = key.to_str().ok().map(|key| key.trim_matches('"')).filter(|key| (1..=255).contains(&key.len()));
        Ok(Some(key.ok_or_else(|| Problem::new(Kind::InvalidRequest, "Idempotency-Key must be 1 to 255 visible characters"))?))
    }
}

#[derive(Deserialize)]
struct StartedRequest {
    state: String,
    resource_id: Uuid,
    status: Option<u16>,
    body: Option<Value>,
}

/// Runs `act`, unless the key was used before: then the first response is replayed. `act` gets the id of the resource to create.
pub(crate) async fn idempotent<T: Serialize, F: Future<Output = Result<T, Refusal>>>(
    request: IdempotentRequest<'_>,
    success: StatusCode,
    act: impl FnOnce(Uuid) -> F,
) -> Result<Response, Refusal> {
    let Some(key) = request.key()? else {
        let value = act(Uuid::now_v7()).await?;
        return Ok((success, axum::Json(value)).into_response());
    };
    let db = request.app.db(request.caller);
    let route = format!("{} {}", request.parts.method, request.parts.uri.path().trim_start_matches("/api"));
    let hash = nofx_shared::auth::fingerprint(&String::from_utf8_lossy(request.body));
    let started: StartedRequest = db.call("begin_request", &json!({"p_route": route, "p_key": key, "p_hash": hash})).await?;
    if started.state == "replay" {
        let status = started.status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(success);
        let mut response = (status, axum::Json(started.body)).into_response();
        response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
        return Ok(response);
    }
    let outcome = act(started.resource_id).await;
    finish(&db, &route, key, success, &outcome).await?;
    outcome.map(|value| (success, axum::Json(value)).into_response())
}

/// Stores the response of a success; a refusal releases the key, since nothing was done.
async fn finish<T: Serialize>(db: &Db, route: &str, key: &str, success: StatusCode, outcome: &Result<T, Refusal>) -> Result<(), Refusal> {
    let (status, body) = match outcome {
        Ok(value) => (success.as_u16(), serde_json::to_value(value).unwrap_or_default()),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR.as_u16(), Value::Null),
    };
    db.call::<_, ()>("finish_request", &json!({"p_route": route, "p_key": key, "p_status": status, "p_body": body})).await?;
    Ok(())
}
