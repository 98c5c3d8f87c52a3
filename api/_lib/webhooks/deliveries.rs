//! `/api/hooks/deliveries`: deliveries with all attempts, and their replay.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use chrono::{DateTime, Utc};
use nofx_shared::auth::Role;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::App;
use crate::http::{Authenticated, Cursor, Page, Paging, Params, Path, Refusal};

#[derive(Clone, Copy, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DeliveryStatus {
    Pending,
    Delivered,
    /// All attempts of a day failed.
    Failed,
}

impl DeliveryStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

/// A delivery to a hook; its id is `webhook-id`.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct DeliverySummary {
    id: Uuid,
    hook_id: Uuid,
    /// The event's cursor or the request's id.
    dedup_key: String,
    /// The bytes that are sent.
    body: String,
    status: DeliveryStatus,
    next_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    /// Oldest first.
    #[serde(rename(deserialize = "hook_attempt"))]
    attempts: Vec<DeliveryAttempt>,
}

#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct DeliveryAttempt {
    attempt: u32,
    at: DateTime<Utc>,
    duration_ms: u32,
    /// HTTP status of the response, if there was one.
    status: Option<u16>,
    /// First 2,000 characters of the response.
    response: Option<String>,
    error: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Filter {
    status: Option<DeliveryStatus>,
    hook_id: Option<Uuid>,
}

/// List the deliveries of hooks, newest first.
///
/// For supervisors. Each comes with the bytes that were sent and every attempt with its response. The filters narrow the list together.
#[utoipa::path(get, path = "/hooks/deliveries", security(("bearer" = [])),
    params(("status" = Option<DeliveryStatus>, Query), ("hook_id" = Option<Uuid>, Query), ("limit" = Option<u16>, Query),
        ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Page<DeliverySummary>), (status = 304)))]
pub(crate) async fn list_deliveries(
    State(app): State<App>,
    caller: Authenticated,
    Params(filter): Params<Filter>,
    Params(paging): Params<Paging>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    caller.at_least(Role::Supervisor)?;
    let columns = "id,hook_id,dedup_key,body,status,next_at,created_at,ended_at,hook_attempt(attempt,at,duration_ms,status,response,error)";
    let mut filters = vec![("select".to_owned(), columns.to_owned()), ("hook_attempt.order".to_owned(), "attempt".to_owned())];
    filters.extend(filter.status.map(|status| ("status".to_owned(), format!("eq.{}", status.as_str()))));
    filters.extend(filter.hook_id.map(|hook| ("hook_id".to_owned(), format!("eq.{hook}"))));
    let cursor = |row: &DeliverySummary| Cursor { created_at: row.created_at, id: row.id };
    Ok(paging.fetch(&app.db(&caller), "hook_delivery", filters, cursor).await?.respond(&uri, &headers))
}

/// Replay a delivery.
///
/// For supervisors. It is sent again with the same `webhook-id`, so a receiver that knows it already can ignore it.
#[utoipa::path(post, path = "/hooks/deliveries/{id}/replay", security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 202, description = "The delivery will be sent again.")))]
pub(crate) async fn replay_delivery(State(app): State<App>, caller: Authenticated, Path(id): Path<Uuid>) -> Result<StatusCode, Refusal> {
    app.db(&caller).call::<_, ()>("replay_delivery", &json!({"p_id": id})).await?;
    Ok(StatusCode::ACCEPTED)
}
