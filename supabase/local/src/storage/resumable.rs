//! `/storage/v1/upload/resumable`: uploads in pieces (tus 1.0.0, with creation), as Supabase Storage takes them.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use super::Storage;
use super::error::Refusal;
use super::rules::{check_name, require_service};
use super::upload::{Object, store};
use crate::project::Project;

/// Largest object that is taken in pieces.
const MAX_UPLOAD_BYTES: u64 = 8 << 30;

const VERSION: &str = "1.0.0";

/// An upload that has upload.
#[derive(Serialize, Deserialize)]
struct Upload {
    length: u64,
    object: Object,
}

/// `POST`: begins an upload; its place is in `Location`.
pub(super) async fn begin(
    State(project): State<Arc<Project>>,
    State(storage): State<Arc<Storage>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    require_service(&project, &headers)?;
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let length: u64 =
        text("upload-length").and_then(|text| text.parse().ok()).ok_or_else(|| Refusal::invalid_upload("Upload-Length is missing"))?;
    if length > MAX_UPLOAD_BYTES {
        return Err(Refusal::too_large());
    }
    let metadata = |name: &str| {
        let all = text("upload-metadata").unwrap_or_default();
        let value = all.split(',').find_map(|pair| pair.trim().split_once(' ').filter(|(key, _)| *key == name))?.1;
        String::from_utf8(STANDARD.decode(value).ok()?).ok()
    };
    let wanted = |name: &str| metadata(name).ok_or_else(|| Refusal::invalid_upload(&format!("{name} is missing in Upload-Metadata")));
    let object = Object {
        bucket: wanted("bucketName")?,
        name: wanted("objectName")?,
        mime: metadata("contentType").unwrap_or_else(|| "application/octet-stream".to_owned()),
        cache_control: metadata("cacheControl").map_or_else(|| "no-cache".to_owned(), |seconds| format!("max-age={seconds}")),
        user_metadata: None,
        upsert: text("x-upsert") == Some("true"),
    };
    check_name(&object.name)?;
    storage.bucket(&object.bucket).await?;
    let id = Uuid::now_v7();
    let upload = serde_json::to_vec(&Upload { length, object }).expect("texts and numbers are JSON");
    tokio::fs::write(plan(&storage, id), upload).await?;
    tokio::fs::File::create_new(bytes(&storage, id)).await?;
    let host = text("host").unwrap_or("127.0.0.1");
    let place = format!("http://{host}/storage/v1/upload/resumable/{}", id.simple());
    Ok(answer(StatusCode::CREATED, &[("location", &place)]))
}

/// `HEAD`: how much of it is here, once no piece is being written.
pub(super) async fn ask(
    State(project): State<Arc<Project>>,
    State(storage): State<Arc<Storage>>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    require_service(&project, &headers)?;
    let (upload, _alone) = find(&storage, id).await?;
    let offset = tokio::fs::metadata(bytes(&storage, id)).await.map_or(upload.length, |part| part.len());
    Ok(answer(
        StatusCode::OK,
        &[("upload-offset", &offset.to_string()), ("upload-length", &upload.length.to_string()), ("cache-control", "no-store")],
    ))
}

/// `PATCH`: the next piece. With the last one the object is there.
pub(super) async fn append(
    State(project): State<Arc<Project>>,
    State(storage): State<Arc<Storage>>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    piece: Bytes,
) -> Result<Response, Refusal> {
    require_service(&project, &headers)?;
    let offset_header = headers.get("upload-offset").and_then(|value| value.to_str().ok()?.parse().ok());
    // A task of its own: if the caller disconnects, it still completes, and no piece is left between the file and the object.
    tokio::spawn(async move { add(&storage, id, offset_header, &piece).await }).await?
}

async fn add(storage: &Storage, id: Uuid, offset_header: Option<u64>, piece: &[u8]) -> Result<Response, Refusal> {
    let (upload, _alone) = find(storage, id).await?;
    let path = bytes(storage, id);
    let offset = tokio::fs::metadata(&path).await.map_or(upload.length, |part| part.len());
    if offset_header != Some(offset) {
        return Ok(answer(StatusCode::CONFLICT, &[("upload-offset", &offset.to_string())]));
    }
    let after = offset + piece.len() as u64;
    if after > upload.length {
        return Err(Refusal::too_large());
    }
    let mut file = tokio::fs::OpenOptions::new().append(true).open(&path).await?;
    file.write_all(piece).await?;
    file.sync_all().await?;
    if after == upload.length {
        // The file becomes the object. The plan stays: a client that lost the last response asks for the offset again.
        drop(store(storage, &upload.object, &path).await?);
    }
    Ok(answer(StatusCode::NO_CONTENT, &[("upload-offset", &after.to_string())]))
}

/// An upload that has upload, for one caller at a time, so that offsets are always at the end of a piece.
async fn find(storage: &Storage, id: Uuid) -> Result<(Upload, File), Refusal> {
    let path = plan(storage, id);
    let read = move || {
        let mut file = File::open(path)?;
        file.lock()?;
        Ok::<_, std::io::Error>((serde_json::from_reader(&mut file)?, file))
    };
    tokio::task::spawn_blocking(read).await?.map_err(|_| Refusal::no_such_key())
}

fn plan(storage: &Storage, id: Uuid) -> PathBuf {
    storage.file(id).with_extension("upload")
}

fn bytes(storage: &Storage, id: Uuid) -> PathBuf {
    storage.file(id).with_extension("part")
}

fn answer(status: StatusCode, headers: &[(&'static str, &str)]) -> Response {
    let mut response = status.into_response();
    for (name, value) in headers.iter().chain(&[("tus-resumable", VERSION)]) {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}
