//! `/api/quotas`: how much a tenant may use. The database enforces it for new runs, and when a worker claims a step.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use nofx_shared::db::Query;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::App;
use crate::http::{Authenticated, Body, Operator, Page, Refusal, cached};

/// The quota of a tenant; null for no limit.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct Quota {
    tenant_id: Uuid,
    runs_per_minute: Option<i64>,
    /// Steps that are ready or running.
    parallel_steps: Option<i64>,
    /// Bytes of artifacts.
    stored_bytes: Option<i64>,
    /// Spent on models since midnight UTC.
    day_usd: Option<f64>,
    /// Processor time of the processes of steps since midnight UTC, in seconds.
    day_cpu_s: Option<i64>,
    /// Memory of one step, in MiB.
    step_memory_mb: Option<i64>,
    /// Files of one step, in MiB.
    step_disk_mb: Option<i64>,
    /// Steps whose programs run at once; others wait until one has ended.
    parallel_sandboxes: Option<i64>,
    /// What sandboxes cost since midnight UTC.
    day_sandbox_usd: Option<f64>,
    /// What sandboxes use of it now; only when the quota is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    used: Option<QuotaUse>,
}

/// What sandboxes use of the quotas of these names.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct QuotaUse {
    day_cpu_s: f64,
    day_sandbox_usd: f64,
    /// Null without this quota: then they are not counted.
    parallel_sandboxes: Option<i64>,
}

/// A quota to set; replaces the previous one.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewQuota {
    tenant_id: Uuid,
    runs_per_minute: Option<u32>,
    parallel_steps: Option<u32>,
    stored_bytes: Option<u64>,
    day_usd: Option<f64>,
    day_cpu_s: Option<u64>,
    step_memory_mb: Option<u32>,
    step_disk_mb: Option<u32>,
    parallel_sandboxes: Option<u32>,
    day_sandbox_usd: Option<f64>,
}

/// Show the quota of the tenant.
///
/// For every role. Returns a list with one quota, or an empty one when nothing is limited.
#[utoipa::path(get, path = "/quotas", security(("bearer" = [])), responses((status = 200, body = Page<Quota>), (status = 304)))]
pub(crate) async fn get_quota(State(app): State<App>, caller: Authenticated, headers: HeaderMap) -> Result<Response, Refusal> {
    let columns = "tenant_id,runs_per_minute,parallel_steps,stored_bytes,day_usd,day_cpu_s,step_memory_mb,step_disk_mb,parallel_sandboxes,\
                   day_sandbox_usd,used:sandbox_use";
    let query = Query { table: "quota", filters: vec![("select".to_owned(), columns.to_owned())] };
    let data: Vec<Quota> = app.db(&caller).read(&query).await?;
    Ok(cached(&headers, &Page { data, next_cursor: None }))
}

/// Set the quota of a tenant.
///
/// For operators: an admin who also sends the deployment's key in `X-Internal-Api-Key`. Replaces the previous quota; a field that is null
/// or left out is not limited.
#[utoipa::path(post, path = "/quotas", request_body = NewQuota, security(("bearer" = [], "internal_key" = [])),
    responses((status = 200, body = Quota), (status = 404)))]
pub(crate) async fn set_quota(State(app): State<App>, operator: Operator, body: Body<NewQuota>) -> Result<axum::Json<Quota>, Refusal> {
    let wanted = &body.value;
    let arguments = json!({
        "p_tenant": wanted.tenant_id, "p_runs_per_minute": wanted.runs_per_minute, "p_parallel_steps": wanted.parallel_steps,
        "p_stored_bytes": wanted.stored_bytes, "p_day_usd": wanted.day_usd, "p_day_cpu_s": wanted.day_cpu_s,
        "p_step_memory_mb": wanted.step_memory_mb, "p_step_disk_mb": wanted.step_disk_mb,
        "p_parallel_sandboxes": wanted.parallel_sandboxes, "p_day_sandbox_usd": wanted.day_sandbox_usd,
    });
    Ok(axum::Json(app.db_for_operator(&operator.0).call("set_quota", &arguments).await?))
}
