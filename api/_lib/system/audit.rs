//! `GET /api/audit`: what was done to data and rights, in order, as it can be proven.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::{DateTime, Utc};
use nofx_shared::audit::{self, Entry};
use nofx_shared::problem::{Kind, Problem};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::App;
use crate::http::{Authenticated, Params, Refusal, cached};

#[derive(Deserialize)]
pub(crate) struct Query {
    after: Option<i64>,
    limit: Option<usize>,
}

/// A row of the record. `hash` covers the row before and this one: docs/audit.md says how, `nofx audit verify` checks it.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct AuditRow {
    tenant_id: Uuid,
    /// 1, 2, 3, … without a gap.
    seq: i64,
    id: Uuid,
    actor: String,
    action: String,
    target: String,
    run_id: Option<Uuid>,
    step_id: Option<Uuid>,
    request_id: Option<String>,
    address: Option<String>,
    created_at: DateTime<Utc>,
    /// `created_at` in microseconds since 1970, as it is hashed.
    at: i64,
    /// sha256 of `payload`.
    payload_hash: Option<String>,
    /// `{before, after}` as text, as it was hashed; null when there is none, or when it cannot be opened here.
    payload: Option<String>,
    /// Why a payload cannot be opened.
    sealed: Option<String>,
    hash: String,
}

/// The end of the record.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct AuditHead {
    seq: i64,
    hash: String,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct AuditPage {
    data: Vec<AuditRow>,
    /// `after` for the next page; null at the end.
    next_after: Option<i64>,
    head: AuditHead,
}

/// List the record, oldest first. For supervisors.
#[utoipa::path(get, path = "/audit", security(("bearer" = [])),
    params(("after" = Option<i64>, Query, description = "The last `seq` that was read."), ("limit" = Option<usize>, Query)),
    responses((status = 200, body = AuditPage), (status = 304), (status = 400), (status = 401), (status = 403)))]
pub(crate) async fn list_audit(
    State(app): State<App>,
    caller: Authenticated,
    Params(query): Params<Query>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let limit = query.limit.unwrap_or(50);
    if !(1..=1000).contains(&limit) {
        return Err(Problem::new(Kind::InvalidRequest, format!("limit={limit}: give 1 to 1000")).into());
    }
    let page = audit::read_audit(&app.db(&caller), query.after.unwrap_or(0).max(0), limit).await?;
    let next_after = page.rows.last().map(|row| row.seq).filter(|seq| *seq < page.head.seq);
    let data = page.rows.into_iter().map(|row| open(&app, row)).collect();
    Ok(cached(&headers, &AuditPage { data, next_after, head: AuditHead { seq: page.head.seq, hash: page.head.hash } }))
}

fn open(app: &App, mut row: Entry) -> AuditRow {
    let sealed = match &app.settings().encryption_keys {
        Some(keys) => row.open(keys).err().map(|error| error.to_string()),
        None => row.sealed.is_some().then(|| "this API has no NOFX_ENCRYPTION_KEYS".to_owned()),
    };
    AuditRow {
        tenant_id: row.tenant_id,
        seq: row.seq,
        id: row.id,
        actor: row.actor,
        action: row.action,
        target: row.target,
        run_id: row.run_id,
        step_id: row.step_id,
        request_id: row.request_id,
        address: row.address,
        created_at: DateTime::from_timestamp_micros(row.at).unwrap_or_default(),
        at: row.at,
        payload_hash: row.payload_hash,
        payload: row.plain,
        sealed,
        hash: row.hash,
    }
}
