//! Buckets: create, show, list, change, empty, remove.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;

use super::error::Refusal;
use super::rules::require_service;
use super::{Storage, manage};
use crate::project::Project;

#[derive(Deserialize)]
pub(super) struct Bucket {
    id: Option<String>,
    name: Option<String>,
    #[serde(default)]
    public: bool,
    file_size_limit: Option<Value>,
    allowed_mime_types: Option<Vec<String>>,
}

impl Bucket {
    /// A number of bytes, or text like `2MB`.
    fn size_limit(&self) -> Result<Option<i64>, Refusal> {
        match &self.file_size_limit {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Number(number)) => Ok(number.as_i64()),
            Some(Value::String(text)) => {
                let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
                let unit: i64 = match text[digits.len()..].to_ascii_uppercase().as_str() {
                    "" | "B" => 1,
                    "KB" => 1 << 10,
                    "MB" => 1 << 20,
                    "GB" => 1 << 30,
                    _ => return Err(Refusal::invalid("file_size_limit has an unknown unit")),
                };
                digits.parse::<i64>().map(|n| Some(n * unit)).map_err(|_| Refusal::invalid("file_size_limit is not a size"))
            }
            Some(_) => Err(Refusal::invalid("file_size_limit is not a size")),
        }
    }
}

pub(super) async fn create(
    State(project): State<Arc<Project>>,
    State(storage): State<Arc<Storage>>,
    headers: HeaderMap,
    Json(given): Json<Bucket>,
) -> Result<Json<Value>, Refusal> {
    require_service(&project, &headers)?;
    let id = given.id.clone().or_else(|| given.name.clone()).ok_or_else(|| Refusal::invalid("body must have required property 'name'"))?;
    let limit = given.size_limit()?;
    let inserted = storage
        .client()
        .await?
        .execute(
            "insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types) values ($1, $1, $2, $3, $4) on conflict (id) do nothing",
            &[&id, &given.public, &limit, &given.allowed_mime_types],
        )
        .await;
    match inserted {
        Ok(1) => Ok(Json(json!({"name": id}))),
        Ok(_) => Err(Refusal::duplicate("BucketAlreadyExists")),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn show(
    State(project): State<Arc<Project>>,
    State(storage): State<Arc<Storage>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    require_service(&project, &headers)?;
    Ok(Json(describe(&storage.bucket(&id).await?)))
}

pub(super) async fn list(
    State(project): State<Arc<Project>>,
    State(storage): State<Arc<Storage>>,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    require_service(&project, &headers)?;
    let rows = storage.client().await?.query("select * from storage.buckets order by id", &[]).await?;
    let buckets = rows.iter().map(|row| {
        let mut bucket = describe(row);
        bucket["type"] = json!("STANDARD");
        bucket
    });
    Ok(Json(buckets.collect()))
}

pub(super) async fn update(
    State(project): State<Arc<Project>>,
    State(storage): State<Arc<Storage>>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Json(given): Json<Bucket>,
) -> Result<Json<Value>, Refusal> {
    require_service(&project, &headers)?;
    let limit = given.size_limit()?;
    let changed = storage
        .client()
        .await?
        .execute(
            "update storage.buckets set public = $2, file_size_limit = $3, allowed_mime_types = $4, updated_at = now() where id = $1",
            &[&id, &given.public, &limit, &given.allowed_mime_types],
        )
        .await?;
    if changed == 0 { Err(Refusal::no_such_bucket()) } else { Ok(Json(json!({"message": "Successfully updated"}))) }
}

pub(super) async fn remove(
    State(project): State<Arc<Project>>,
    State(storage): State<Arc<Storage>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    require_service(&project, &headers)?;
    storage.bucket(&id).await?;
    let deleted = storage.client().await?.execute("delete from storage.buckets where id = $1", &[&id]).await;
    match deleted {
        Ok(_) => Ok(Json(json!({"message": "Successfully deleted"}))),
        Err(error) if error.code() == Some(&SqlState::FOREIGN_KEY_VIOLATION) => Err(Refusal::not_empty()),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn empty(
    State(project): State<Arc<Project>>,
    State(storage): State<Arc<Storage>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    require_service(&project, &headers)?;
    storage.bucket(&id).await?;
    let names = storage.client().await?.query("select name from storage.objects where bucket_id = $1", &[&id]).await?;
    manage::delete(&storage, &id, &names.iter().map(|row| row.get(0)).collect::<Vec<String>>()).await?;
    Ok(Json(json!({"message": "Empty bucket has been queued. Completion may take up to an hour."})))
}

fn describe(row: &Row) -> Value {
    json!({
        "id": row.get::<_, String>("id"), "name": row.get::<_, String>("name"), "owner": "", "public": row.get::<_, bool>("public"),
        "file_size_limit": row.get::<_, Option<i64>>("file_size_limit"),
        "allowed_mime_types": row.get::<_, Option<Vec<String>>>("allowed_mime_types"),
        "created_at": row.get::<_, DateTime<Utc>>("created_at"), "updated_at": row.get::<_, DateTime<Utc>>("updated_at"),
    })
}
