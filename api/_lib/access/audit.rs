//! `GET /api/audit`: the audit log, in an order and a form that clients can verify.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::{DateTime, Utc};
use nofx_shared::audit::{self, AuditEntry, AuditHead};
use serde::{Deserialize, Serialize};

use crate::App;
use crate::http::{Authenticated, Params, Refusal, cached, page_limit};

#[derive(Deserialize)]
pub(crate) struct Query {
    after: Option<i64>,
    limit: Option<usize>,
}

/// A row of the audit log, with readable fields.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct AuditRow {
    #[serde(flatten)]
    entry: AuditEntry,
    created_at: DateTime<Utc>,
    /// Why the payload could not be decrypted.
    unseal_error: Option<String>,
}

/// A part of the audit log.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct AuditPage {
    data: Vec<AuditRow>,
    /// `after` for the next page; null at the end.
    next_after: Option<i64>,
    /// The last row of the audit log.
    head: AuditHead,
}

/// List the audit log, oldest first.
///
/// For supervisors. Rows come in the order in which they were hashed, so that a client can verify the chain itself; payloads are decrypted
/// when this deployment has the key. Pass `next_after` as `after` for the next page.
#[utoipa::path(get, path = "/audit", security(("bearer" = [])),
    params(("after" = Option<i64>, Query, description = "The last `seq` that was read."), ("limit" = Option<usize>, Query, maximum = 1000)),
    responses((status = 200, body = AuditPage), (status = 304)))]
pub(crate) async fn list_audit(
    State(app): State<App>,
    caller: Authenticated,
    Params(query): Params<Query>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let limit = page_limit(query.limit, 1000)?;
    let page = audit::read_audit(&app.db(&caller), query.after.unwrap_or(0).max(0), limit).await?;
    let next_after = page.rows.last().map(|row| row.seq).filter(|seq| *seq < page.head.seq);
    let data = page.rows.into_iter().map(|row| open(&app, row)).collect();
    Ok(cached(&headers, &AuditPage { data, next_after, head: page.head }))
}

fn open(app: &App, mut entry: AuditEntry) -> AuditRow {
    let unseal_error = entry.open(&app.settings().encryption_keys).err().map(|error| error.to_string());
    AuditRow { created_at: DateTime::from_timestamp_micros(entry.at).unwrap_or_default(), unseal_error, entry }
}
