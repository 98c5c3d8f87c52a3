//! `/api/keys`: API keys of the tenant. The key itself is shown once.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use nofx_shared::auth::{ApiKey, Role};
use nofx_shared::db::Query;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::App;
use crate::http::{Authenticated, Body, Page, Path, Refusal, cached};

/// An API key to create.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKey {
    name: String,
    role: Role,
    expires_at: Option<DateTime<Utc>>,
    /// Parts of the API that the key may use: runs, gates, artifacts, events, dlq, hooks, audit, system; default: all.
    scopes: Option<Vec<String>>,
}

/// A key that was created.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct CreatedKey {
    id: Uuid,
    /// Shown once; only its hash is stored.
    key: String,
}

/// An API key, without its secret.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct KeySummary {
    id: Uuid,
    name: String,
    role: Role,
    prefix: String,
    created_by: String,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    /// Null: the whole API.
    scopes: Option<Vec<String>>,
    /// To the minute.
    last_used_at: Option<DateTime<Utc>>,
}

/// List the API keys of the tenant, newest first.
///
/// For admins. Returns all keys in one page, revoked and expired ones too, without their secrets.
#[utoipa::path(get, path = "/keys", security(("bearer" = [])), responses((status = 200, body = Page<KeySummary>), (status = 304)))]
pub(crate) async fn list_api_keys(State(app): State<App>, caller: Authenticated, headers: HeaderMap) -> Result<Response, Refusal> {
    caller.at_least(Role::Admin)?;
    let columns = "id,name,role,prefix,created_by,created_at,expires_at,revoked_at,scopes,last_used_at";
    let filters = vec![("select".to_owned(), columns.to_owned()), ("order".to_owned(), "created_at.desc".to_owned())];
    let data: Vec<KeySummary> = app.db(&caller).read(&Query { table: "api_key", filters }).await?;
    Ok(cached(&headers, &Page { data, next_cursor: None }))
}

/// Create an API key.
///
/// For admins. The key is in the response and nowhere else: only its hash is stored. Each call creates another key.
#[utoipa::path(post, path = "/keys", request_body = NewKey, security(("bearer" = [])),
    responses((status = 201, body = CreatedKey)))]
pub(crate) async fn create_api_key(State(app): State<App>, caller: Authenticated, body: Body<NewKey>) -> Result<Response, Refusal> {
    let key = ApiKey::create();
    let wanted = &body.value;
    let arguments = json!({
        "p_name": wanted.name, "p_role": wanted.role, "p_hash": key.hash, "p_prefix": key.prefix, "p_expires_at": wanted.expires_at, "p_scopes": wanted.scopes,
    });
    let id = app.db(&caller).call("create_api_key", &arguments).await?;
    Ok((StatusCode::CREATED, axum::Json(CreatedKey { id, key: key.key })).into_response())
}

/// Revoke an API key.
///
/// For admins. Requests with the key are refused from then on; the key stays in the list. Revoking it again changes nothing.
#[utoipa::path(delete, path = "/keys/{id}", security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 204)))]
pub(crate) async fn revoke_api_key(State(app): State<App>, caller: Authenticated, Path(id): Path<Uuid>) -> Result<StatusCode, Refusal> {
    app.db(&caller).call::<_, ()>("revoke_api_key", &json!({"p_id": id})).await?;
    Ok(StatusCode::NO_CONTENT)
}
