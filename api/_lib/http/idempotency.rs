//! `Idempotency-Key`: the same request again gets the same answer, for 24 hours.

use std::future::Future;

use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use nofx_shared::auth::Caller;
use nofx_shared::db::Db;
use nofx_shared::problem::{Kind, Problem};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Envelope, Refusal};
use crate::App;

/// A request that is to be done once.
pub(crate) struct Once<'a> {
    pub app: &'a App,
    pub caller: &'a Caller,
    pub envelope: &'a Envelope,
    pub body: &'a [u8],
}

#[derive(Deserialize)]
struct Begun {
    state: String,
    resource_id: Uuid,
    status: Option<u16>,
    body: Option<Value>,
}

/// Does it, unless it was done under the same key: then the first answer is given again. `act` gets the id for what it makes.
pub(crate) async fn once<T: Serialize, F: Future<Output = Result<T, Refusal>>>(
    request: Once<'_>,
    success: StatusCode,
    act: impl FnOnce(Uuid) -> F,
) -> Result<Response, Refusal> {
    let Some(key) = request.envelope.headers.get("idempotency-key") else {
        let value = act(Uuid::now_v7()).await?;
        return Ok((success, axum::Json(value)).into_response());
    };
    let key = key.to_str().ok().map(|key| key.trim_matches('"')).filter(|key| (1..=255).contains(&key.len()));
    let key = key.ok_or_else(|| Problem::new(Kind::InvalidRequest, "Idempotency-Key must be 1 to 255 visible characters"))?;
    let db = request.app.db(request.caller);
    let route = format!("{} {}", request.envelope.method, request.envelope.uri.path().trim_start_matches("/api"));
    let hash = nofx_shared::auth::fingerprint(&String::from_utf8_lossy(request.body));
    let begun: Begun = db.call("begin_request", &json!({"p_route": route, "p_key": key, "p_hash": hash})).await?;
    if begun.state == "replay" {
        let status = begun.status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(success);
        let mut response = (status, axum::Json(begun.body)).into_response();
        response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
        return Ok(response);
    }
    let outcome = act(begun.resource_id).await;
    finish(&db, &route, key, success, &outcome).await?;
    outcome.map(|value| (success, axum::Json(value)).into_response())
}

/// Keeps a success for the next time; a refusal lets go of the key, since nothing was done.
async fn finish<T: Serialize>(db: &Db, route: &str, key: &str, success: StatusCode, outcome: &Result<T, Refusal>) -> Result<(), Refusal> {
    let (status, body) = match outcome {
        Ok(value) => (success.as_u16(), serde_json::to_value(value).unwrap_or_default()),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR.as_u16(), Value::Null),
    };
    db.call::<_, ()>("finish_request", &json!({"p_route": route, "p_key": key, "p_status": status, "p_body": body})).await?;
    Ok(())
}
