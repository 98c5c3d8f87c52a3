//! Downloads: whole, by range, only when changed; and what is known of an object.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_postgres::Row;
use tokio_util::io::ReaderStream;
use uuid::Uuid;

use super::Storage;
use super::error::Refusal;
use super::rules::require_service;
use crate::project::Project;

pub(super) async fn download(
    State(project): State<Arc<Project>>,
    State(storage): State<Arc<Storage>>,
    Path((bucket, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    // Without the right to read, an object is not there at all.
    require_service(&project, &headers).map_err(|_| Refusal::no_such_key())?;
    let row = storage.object(&bucket, &name).await?;
    send(&storage, &row, &headers).await
}

pub(super) async fn public(
    State(storage): State<Arc<Storage>>,
    Path((bucket, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    if !storage.bucket(&bucket).await?.get::<_, bool>("public") {
        return Err(Refusal::no_such_bucket());
    }
    let row = storage.object(&bucket, &name).await?;
    send(&storage, &row, &headers).await
}

pub(super) async fn info(
    State(project): State<Arc<Project>>,
    State(storage): State<Arc<Storage>>,
    Path((bucket, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    require_service(&project, &headers).map_err(|_| Refusal::no_such_key())?;
    let row = storage.object(&bucket, &name).await?;
    Ok(Json(json!({
        "id": row.get::<_, Uuid>("id"), "name": name, "version": row.get::<_, Uuid>("version"), "bucket_id": bucket,
        "size": row.get::<_, i64>("size"), "content_type": row.get::<_, String>("mime_type"),
        "cache_control": row.get::<_, String>("cache_control"), "etag": row.get::<_, String>("etag"),
        "metadata": row.get::<_, Option<Value>>("user_metadata"),
        "last_modified": row.get::<_, DateTime<Utc>>("updated_at"), "created_at": row.get::<_, DateTime<Utc>>("created_at"),
    })))
}

/// Streams an object's bytes.
pub(super) async fn send(storage: &Storage, row: &Row, asked: &HeaderMap) -> Result<Response, Refusal> {
    let etag: String = row.get("etag");
    let size = u64::try_from(row.get::<_, i64>("size")).unwrap_or(0);
    let mut headers = HeaderMap::new();
    let mut set = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(header::ETAG, &etag);
    set(header::ACCEPT_RANGES, "bytes");
    set(header::CONTENT_TYPE, row.get("mime_type"));
    set(header::CACHE_CONTROL, row.get("cache_control"));
    set(header::LAST_MODIFIED, &row.get::<_, DateTime<Utc>>("updated_at").format("%a, %d %b %Y %H:%M:%S GMT").to_string());
    set(header::HeaderName::from_static("x-robots-tag"), "none");
    if asked.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let mut file = tokio::fs::File::open(storage.file(row.get("version"))).await?;
    let range = asked.get(header::RANGE).and_then(|value| value.to_str().ok()).and_then(|value| parse_range(value, size));
    let (status, first, length) = match range {
        Some((first, last)) => {
            set(header::CONTENT_RANGE, &format!("bytes {first}-{last}/{size}"));
            (StatusCode::PARTIAL_CONTENT, first, last - first + 1)
        }
        None => (StatusCode::OK, 0, size),
    };
    set(header::CONTENT_LENGTH, &length.to_string());
    file.seek(std::io::SeekFrom::Start(first)).await?;
    Ok((status, headers, Body::from_stream(ReaderStream::new(file.take(length)))).into_response())
}

/// First and last byte of `bytes=a-b`, `bytes=a-` or `bytes=-n`; nothing when it cannot be served.
fn parse_range(text: &str, size: u64) -> Option<(u64, u64)> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let (first, last) = match (first, last) {
        ("", n) => (size.checked_sub(n.parse().ok()?)?, size.checked_sub(1)?),
        (first, "") => (first.parse().ok()?, size.checked_sub(1)?),
        (first, last) => (first.parse().ok()?, last.parse::<u64>().ok()?.min(size.checked_sub(1)?)),
    };
    (first <= last).then_some((first, last))
}
