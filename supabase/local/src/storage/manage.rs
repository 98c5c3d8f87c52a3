//! Lists, moves, copies and removes objects.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use super::Storage;
use super::error::Refusal;
use super::rules::{check_name, require_service};
use crate::project::Project;

#[derive(Deserialize)]
pub(super) struct Listing {
    prefix: String,
    limit: Option<usize>,
    offset: Option<usize>,
    search: Option<String>,
    #[serde(rename = "sortBy")]
    sort_by: Option<Sort>,
}

#[derive(Deserialize)]
struct Sort {
    column: Option<String>,
    order: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Transfer {
    bucket_id: String,
    source_key: String,
    destination_key: String,
    destination_bucket: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Names {
    prefixes: Vec<String>,
}

/// One level below the prefix: objects by name, folders without id.
pub(super) async fn list(
    State(project): State<Arc<Project>>,
    State(storage): State<Arc<Storage>>,
    Path(bucket): Path<String>,
    headers: HeaderMap,
    Json(asked): Json<Listing>,
) -> Result<Json<Value>, Refusal> {
    if require_service(&project, &headers).is_err() {
        return Ok(Json(json!([])));
    }
    let prefix = match asked.prefix.trim_matches('/') {
        "" => String::new(),
        folder => format!("{folder}/"),
    };
    let rows = storage
        .client()
        .await?
        .query("select * from storage.objects where bucket_id = $1 and starts_with(name, $2) order by name", &[&bucket, &prefix])
        .await?;
    let mut folders = BTreeSet::new();
    let mut found: Vec<(String, Value)> = vec![];
    for row in &rows {
        let name: String = row.get("name");
        let Some(rest) = name.strip_prefix(&prefix) else { continue };
        let (first, is_folder) = rest.split_once('/').map_or((rest, false), |(folder, _)| (folder, true));
        if asked.search.as_ref().is_some_and(|search| !first.contains(search.as_str())) {
            continue;
        }
        if !is_folder {
            found.push((first.to_owned(), describe(first, row)));
        } else if folders.insert(first.to_owned()) {
            let folder =
                json!({"name": first, "id": null, "updated_at": null, "created_at": null, "last_accessed_at": null, "metadata": null});
            found.push((first.to_owned(), folder));
        }
    }
    let sort = asked.sort_by;
    if let Some(column) = sort.as_ref().and_then(|sort| sort.column.as_deref()).filter(|column| *column != "name") {
        found.sort_by_key(|(_, entry)| entry[column].as_str().unwrap_or_default().to_owned());
    } else {
        found.sort_by(|a, b| a.0.cmp(&b.0));
    }
    if sort.and_then(|sort| sort.order).is_some_and(|order| order == "desc") {
        found.reverse();
    }
    let page = found.into_iter().skip(asked.offset.unwrap_or(0)).take(asked.limit.unwrap_or(100)).map(|(_, entry)| entry);
    Ok(Json(page.collect()))
}

pub(super) async fn rename(
    State(project): State<Arc<Project>>,
    State(storage): State<Arc<Storage>>,
    headers: HeaderMap,
    Json(what): Json<Transfer>,
) -> Result<Json<Value>, Refusal> {
    require_service(&project, &headers)?;
    check_name(&what.destination_key)?;
    storage.object(&what.bucket_id, &what.source_key).await?;
    let target = what.destination_bucket.as_ref().unwrap_or(&what.bucket_id);
    storage
        .client()
        .await?
        .execute(
            "update storage.objects set bucket_id = $3, name = $4, updated_at = now() where bucket_id = $1 and name = $2",
            &[&what.bucket_id, &what.source_key, target, &what.destination_key],
        )
        .await
        .map_err(taken)?;
    Ok(Json(json!({"message": "Successfully moved"})))
}

pub(super) async fn copy(
    State(project): State<Arc<Project>>,
    State(storage): State<Arc<Storage>>,
    headers: HeaderMap,
    Json(what): Json<Transfer>,
) -> Result<Json<Value>, Refusal> {
    require_service(&project, &headers)?;
    check_name(&what.destination_key)?;
    let source = storage.object(&what.bucket_id, &what.source_key).await?;
    let (id, version) = (Uuid::now_v7(), Uuid::now_v7());
    let target = what.destination_bucket.as_ref().unwrap_or(&what.bucket_id);
    tokio::fs::copy(storage.file(source.get("version")), storage.file(version)).await?;
    storage
        .client()
        .await?
        .execute(
            "insert into storage.objects (id, bucket_id, name, version, size, mime_type, cache_control, etag, user_metadata) \
             select $1, $2, $3, $4, size, mime_type, cache_control, etag, user_metadata from storage.objects where id = $5",
            &[&id, target, &what.destination_key, &version, &source.get::<_, Uuid>("id")],
        )
        .await
        .map_err(taken)?;
    Ok(Json(json!({"Key": format!("{target}/{}", what.destination_key), "Id": id})))
}

pub(super) async fn remove(
    State(project): State<Arc<Project>>,
    State(storage): State<Arc<Storage>>,
    Path((bucket, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    require_service(&project, &headers)?;
    if delete(&storage, &bucket, &[name]).await?.is_empty() {
        return Err(Refusal::no_such_key());
    }
    Ok(Json(json!({"message": "Successfully deleted"})))
}

pub(super) async fn remove_many(
    State(project): State<Arc<Project>>,
    State(storage): State<Arc<Storage>>,
    Path(bucket): Path<String>,
    headers: HeaderMap,
    Json(names): Json<Names>,
) -> Result<Json<Value>, Refusal> {
    require_service(&project, &headers)?;
    Ok(Json(Value::Array(delete(&storage, &bucket, &names.prefixes).await?)))
}

/// Removes rows first, then bytes: a file without a row is waste, a row without a file would be a lie.
pub(super) async fn delete(storage: &Storage, bucket: &str, names: &[String]) -> Result<Vec<Value>, Refusal> {
    let rows = storage
        .client()
        .await?
        .query("delete from storage.objects where bucket_id = $1 and name = any ($2) returning *", &[&bucket, &names])
        .await?;
    for row in &rows {
        tokio::fs::remove_file(storage.file(row.get("version"))).await?;
    }
    Ok(rows.iter().map(|row| describe(&row.get::<_, String>("name"), row)).collect())
}

fn taken(error: tokio_postgres::Error) -> Refusal {
    if error.code() == Some(&SqlState::UNIQUE_VIOLATION) { Refusal::duplicate("KeyAlreadyExists") } else { error.into() }
}

fn describe(name: &str, row: &Row) -> Value {
    let time = |column| row.get::<_, DateTime<Utc>>(column).to_rfc3339_opts(SecondsFormat::Millis, true);
    json!({
        "name": name, "bucket_id": row.get::<_, String>("bucket_id"), "id": row.get::<_, Uuid>("id"),
        "updated_at": time("updated_at"), "created_at": time("created_at"), "last_accessed_at": time("last_accessed_at"),
        "metadata": {
            "eTag": row.get::<_, String>("etag"), "size": row.get::<_, i64>("size"), "mimetype": row.get::<_, String>("mime_type"),
            "cacheControl": row.get::<_, String>("cache_control"), "lastModified": time("updated_at"),
            "contentLength": row.get::<_, i64>("size"), "httpStatusCode": 200,
        },
    })
}
