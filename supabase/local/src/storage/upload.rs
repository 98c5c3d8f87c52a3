//! Uploads: the bytes are written and synced before the row that names them.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use super::Storage;
use super::error::Refusal;
use super::rules::{check_name, require_service};
use crate::project::Project;

/// `POST`: a new object; over an existing one only with `x-upsert: true`.
pub(super) async fn create(
    State(project): State<Arc<Project>>,
    State(storage): State<Arc<Storage>>,
    Path(place): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Refusal> {
    let upsert = headers.get("x-upsert").is_some_and(|value| value == "true");
    require_service(&project, &headers)?;
    store(&storage, &Object::of(place, &headers, upsert), &save(&storage, &body).await?).await
}

/// `PUT`: replaces an object, or creates it.
pub(super) async fn replace(
    State(project): State<Arc<Project>>,
    State(storage): State<Arc<Storage>>,
    Path(place): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Refusal> {
    require_service(&project, &headers)?;
    store(&storage, &Object::of(place, &headers, true), &save(&storage, &body).await?).await
}

/// The metadata of an object.
#[derive(Serialize, Deserialize)]
pub(super) struct Object {
    pub bucket: String,
    pub name: String,
    pub mime: String,
    pub cache_control: String,
    pub user_metadata: Option<Value>,
    /// Whether it may take the place of one that is there.
    pub upsert: bool,
}

impl Object {
    fn of((bucket, name): (String, String), headers: &HeaderMap, upsert: bool) -> Self {
        let text = |key: &str| headers.get(key).and_then(|value| value.to_str().ok());
        let user_metadata = text("x-metadata").and_then(|encoded| serde_json::from_slice(&STANDARD.decode(encoded).ok()?).ok());
        let or = |key: &str, otherwise: &str| text(key).unwrap_or(otherwise).to_owned();
        let mime = or(header::CONTENT_TYPE.as_str(), "application/octet-stream");
        Self { bucket, name, mime, cache_control: or(header::CACHE_CONTROL.as_str(), "no-cache"), user_metadata, upsert }
    }
}

/// Bytes in a file that has no name yet.
async fn save(storage: &Storage, body: &[u8]) -> Result<PathBuf, Refusal> {
    let path = storage.file(Uuid::now_v7()).with_extension("new");
    let mut file = tokio::fs::File::create_new(&path).await?;
    file.write_all(body).await?;
    file.sync_all().await?;
    Ok(path)
}

/// Names the bytes of a file, which becomes the object's; a refusal removes it.
pub(super) async fn store(storage: &Storage, object: &Object, bytes: &FilePath) -> Result<Json<Value>, Refusal> {
    let named = name_file(storage, object, bytes).await;
    if named.is_err() {
        drop(tokio::fs::remove_file(bytes).await);
    }
    named
}

/// The size of a file and its MD5, read piece by piece.
async fn measure(path: &FilePath) -> Result<(i64, String), Refusal> {
    let mut file = tokio::fs::File::open(path).await?;
    let (mut size, mut sum, mut buffer) = (0, Md5::new(), vec![0; 1 << 20]);
    loop {
        let read = file.read(&mut buffer).await?;
        if read == 0 {
            return Ok((size, format!("\"{}\"", hex::encode(sum.finalize()))));
        }
        sum.update(&buffer[..read]);
        size += i64::try_from(read).unwrap_or(i64::MAX);
    }
}

async fn name_file(storage: &Storage, object: &Object, bytes: &FilePath) -> Result<Json<Value>, Refusal> {
    let Object { bucket, name, mime, cache_control, user_metadata, upsert } = object;
    check_name(name)?;
    let rules = storage.bucket(bucket).await?;
    let (size, etag) = measure(bytes).await?;
    if rules.get::<_, Option<i64>>("file_size_limit").is_some_and(|limit| size > limit) {
        return Err(Refusal::too_large());
    }
    if rules.get::<_, Option<Vec<String>>>("allowed_mime_types").is_some_and(|allowed| !allowed.contains(mime)) {
        return Err(Refusal::mime_type(mime));
    }

    let version = Uuid::now_v7();
    let path = storage.file(version);
    tokio::fs::rename(bytes, &path).await?;
    let client = storage.client().await?;
    let old = client.query_opt("select version from storage.objects where bucket_id = $1 and name = $2", &[bucket, name]).await?;
    let conflict = if *upsert {
        "on conflict (bucket_id, name) do update set version = excluded.version, size = excluded.size, mime_type = excluded.mime_type, \
         cache_control = excluded.cache_control, etag = excluded.etag, user_metadata = excluded.user_metadata, updated_at = now()"
    } else {
        ""
    };
    let stored = client
        .query_one(
            &format!(
                "insert into storage.objects (id, bucket_id, name, version, size, mime_type, cache_control, etag, user_metadata) \
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9) {conflict} returning id"
            ),
            &[&Uuid::now_v7(), bucket, name, &version, &size, mime, cache_control, &etag, user_metadata],
        )
        .await;
    match stored {
        Ok(row) => {
            if let Some(old) = old {
                // Another caller may have replaced it at the same time, and removed it.
                drop(tokio::fs::remove_file(storage.file(old.get(0))).await);
            }
            Ok(Json(json!({"Key": format!("{bucket}/{name}"), "Id": row.get::<_, Uuid>(0)})))
        }
        Err(error) => {
            tokio::fs::remove_file(&path).await?;
            if error.code() == Some(&SqlState::UNIQUE_VIOLATION) { Err(Refusal::duplicate("KeyAlreadyExists")) } else { Err(error.into()) }
        }
    }
}
