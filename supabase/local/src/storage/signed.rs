//! Signed URLs: a JWT that names one object and when the right to read it ends.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use chrono::Utc;
use jsonwebtoken::errors::ErrorKind;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::Refusal;
use super::rules::require_service;
use super::{Storage, read};
use crate::project::{Project, sign as sign_jwt, verify_secret};

/// Bytes of an object's name that cannot stand in a URL's path.
const PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'?').add(b'`').add(b'{').add(b'}').add(b'%');

#[derive(Deserialize)]
pub(super) struct Terms {
    #[serde(rename = "expiresIn")]
    expires_in: i64,
    #[serde(default)]
    paths: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Ticket {
    token: String,
    download: Option<String>,
}

pub(super) async fn sign(
    State(project): State<Arc<Project>>,
    State(storage): State<Arc<Storage>>,
    Path((bucket, name)): Path<(String, String)>,
    headers: HeaderMap,
    Json(terms): Json<Terms>,
) -> Result<Json<Value>, Refusal> {
    require_service(&project, &headers)?;
    storage.object(&bucket, &name).await?;
    Ok(Json(json!({"signedURL": url(&project, &bucket, &name, terms.expires_in)})))
}

pub(super) async fn sign_many(
    State(project): State<Arc<Project>>,
    State(storage): State<Arc<Storage>>,
    Path(bucket): Path<String>,
    headers: HeaderMap,
    Json(terms): Json<Terms>,
) -> Result<Json<Value>, Refusal> {
    require_service(&project, &headers)?;
    let mut signed = Vec::with_capacity(terms.paths.len());
    for path in &terms.paths {
        signed.push(match storage.object(&bucket, path).await {
            Ok(_) => json!({"error": null, "path": path, "signedURL": url(&project, &bucket, path, terms.expires_in)}),
            Err(_) => json!({"error": "Either the object does not exist or you do not have access to it", "path": path, "signedURL": null}),
        });
    }
    Ok(Json(Value::Array(signed)))
}

pub(super) async fn fetch(
    State(project): State<Arc<Project>>,
    State(storage): State<Arc<Storage>>,
    Path((bucket, name)): Path<(String, String)>,
    Query(ticket): Query<Ticket>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let claims = verify_secret(&project.jwt_secret, &ticket.token).map_err(|error| match error.kind() {
        ErrorKind::ExpiredSignature => Refusal::bad_signature("\"exp\" claim timestamp check failed"),
        _ => Refusal::bad_signature("signature verification failed"),
    })?;
    if claims["scope"] != "download" || claims["url"] != format!("{bucket}/{name}") {
        return Err(Refusal::other_signature());
    }
    let row = storage.object(&bucket, &name).await?;
    let mut response = read::send(&storage, &row, &headers).await?;
    if let Some(file_name) = ticket.download
        && let Ok(value) = HeaderValue::from_str(&disposition(&file_name))
    {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

fn disposition(file_name: &str) -> String {
    if file_name.is_empty() {
        return "attachment".to_owned();
    }
    let encoded = utf8_percent_encode(file_name, PATH);
    format!("attachment; filename={encoded}; filename*=UTF-8''{encoded}")
}

/// Relative to `/storage/v1`, as Supabase gives it.
fn url(project: &Project, bucket: &str, name: &str, expires_in: i64) -> String {
    let now = Utc::now().timestamp();
    let token = sign_jwt(
        &project.jwt_secret,
        &json!({"url": format!("{bucket}/{name}"), "scope": "download", "iat": now, "exp": now + expires_in}),
    );
    format!("/object/sign/{}/{}?token={token}", utf8_percent_encode(bucket, PATH), utf8_percent_encode(name, PATH))
}
