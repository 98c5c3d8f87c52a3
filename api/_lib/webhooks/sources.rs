//! `/api/hooks/sources`: senders of webhooks to a tenant; and `POST /api/webhooks/sources/{id}`, where they post.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::{DateTime, Utc};
use nofx_shared::auth::Role;
use nofx_shared::db::{self, Query};
use nofx_shared::hooks::{WebhookProvider, open_source_secrets, seal_source_secret, verify};
use nofx_shared::problem::{Kind, Problem};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::App;
use crate::http::{Authenticated, Body, Page, Path, RawBody, Refusal, cached};

/// Size up to which a body becomes part of the event: a hook's tool gets it in one environment variable, which may have 128 KiB.
const BODY_BYTES: usize = 64 << 10;

/// Least characters of a sender's secret.
const SECRET_CHARS: usize = 16;

/// A sender of webhooks. It posts to /api/webhooks/sources/{id}.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct WebhookSource {
    id: Uuid,
    name: String,
    provider: WebhookProvider,
    created_by: String,
    created_at: DateTime<Utc>,
}

/// A source to set.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewWebhookSource {
    name: String,
    provider: WebhookProvider,
    /// The sender's signing secret; the previous one stays valid as well.
    secret: String,
}

/// The result of a webhook.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct WebhookResult {
    /// Whether the webhook was already received; a duplicate has no effect.
    duplicate: bool,
}

#[derive(Deserialize)]
struct SourceRules {
    tenant_id: Uuid,
    name: String,
    provider: WebhookProvider,
    secrets: Vec<String>,
}

/// List the webhook sources.
///
/// For supervisors. Returns all of them in one page, by name, without their secrets.
#[utoipa::path(get, path = "/hooks/sources", security(("bearer" = [])),
    responses((status = 200, body = Page<WebhookSource>), (status = 304)))]
pub(crate) async fn list_webhook_sources(State(app): State<App>, caller: Authenticated, headers: HeaderMap) -> Result<Response, Refusal> {
    caller.at_least(Role::Supervisor)?;
    let columns = "id,name,provider,created_by,created_at";
    let filters = vec![("select".to_owned(), columns.to_owned()), ("order".to_owned(), "name".to_owned())];
    let data: Vec<WebhookSource> = app.db(&caller).read(&Query { table: "webhook_source", filters }).await?;
    Ok(cached(&headers, &Page { data, next_cursor: None }))
}

/// Set a webhook source.
///
/// For admins. Creates the source, or replaces the secret of the one with the same name; the previous secret stays valid as well. Its
/// provider posts to `/api/webhooks/sources/{id}`.
#[utoipa::path(post, path = "/hooks/sources", request_body = NewWebhookSource, security(("bearer" = [])),
    responses((status = 200, body = WebhookSource)))]
pub(crate) async fn set_webhook_source(
    State(app): State<App>,
    caller: Authenticated,
    body: Body<NewWebhookSource>,
) -> Result<axum::Json<WebhookSource>, Refusal> {
    caller.at_least(Role::Admin)?;
    let wanted = &body.value;
    if wanted.secret.chars().count() < SECRET_CHARS {
        let detail = format!("Set the secret that the sender signs with, at least {SECRET_CHARS} characters.");
        return Err(Problem::new(Kind::InvalidHook, detail).into());
    }
    let secret = seal_source_secret(&app.settings().encryption_keys, caller.tenant, &wanted.name, &wanted.secret);
    let arguments = json!({"p_name": wanted.name, "p_provider": wanted.provider, "p_secret": secret});
    Ok(axum::Json(app.db(&caller).call("set_webhook_source", &arguments).await?))
}

/// Delete a webhook source.
///
/// For admins. Its webhooks are refused with 404 from then on.
#[utoipa::path(delete, path = "/hooks/sources/{id}", security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 204)))]
pub(crate) async fn delete_webhook_source(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Refusal> {
    app.db(&caller).call::<_, ()>("delete_webhook_source", &json!({"p_id": id})).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Receive a webhook of a source.
///
/// For the provider of the source, which signs as its kind does. A webhook with a valid signature becomes the event `webhook.received`,
/// once: a duplicate is accepted and has no effect.
#[utoipa::path(post, path = "/webhooks/sources/{id}", request_body = Object, security(("webhook" = [])), params(("id" = Uuid, Path)),
    responses((status = 200, body = WebhookResult)))]
pub(crate) async fn receive_webhook(
    State(app): State<App>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    RawBody(bytes): RawBody,
) -> Result<axum::Json<WebhookResult>, Refusal> {
    let db = app.service_db();
    let rules: Option<SourceRules> = db.call("find_webhook_source", &json!({"p_id": id})).await?;
    let missing = || Problem::new(Kind::WebhookSourceNotFound, format!("Webhook source {id} was not found."));
    let rules = rules.ok_or_else(missing)?;
    let opened = open_source_secrets(&app.settings().encryption_keys, rules.tenant_id, &rules.name, &rules.secrets);
    let secrets = opened.map_err(db::Error::from)?;
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let verified = verify(rules.provider, header, &bytes, Utc::now().timestamp(), &secrets);
    let verified = verified.map_err(|refused| Problem::new(Kind::Unauthorized, format!("The webhook was refused: {refused}.")))?;
    if verified.key > 0 {
        tracing::info!(source = %id, "the sender still signs with the previous secret");
    }
    let arguments = json!({"p_source": id, "p_dedup_key": verified.id, "p_kind": verified.kind, "p_body": readable(&bytes)});
    let is_new: bool = db.call("receive_webhook", &arguments).await?;
    Ok(axum::Json(WebhookResult { duplicate: !is_new }))
}

/// The body as JSON: parsed, or read as a form; only its size when it is too large.
fn readable(bytes: &Bytes) -> Value {
    if bytes.len() > BODY_BYTES {
        return json!({"dropped_bytes": bytes.len()});
    }
    if let Ok(value) = serde_json::from_slice(bytes) {
        return value;
    }
    // Slack puts JSON into the field `payload`.
    let value = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
    form_urlencoded::parse(bytes).map(|(name, text)| (name.into_owned(), value(&text))).collect()
}
