//! `/api/gates/policies`: what must be true before a tool may run. The database enforces it when a worker claims a step.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use nofx_shared::auth::{Caller, Role};
use nofx_shared::db::Query;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::App;
use crate::http::{Authenticated, Body, Page, Path, Refusal, cached};

/// The requirements of a tool before it may run.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct GatePolicy {
    id: Uuid,
    /// Null: the default, for tenants without a policy of their own for the tool.
    #[serde(default)]
    pub tenant_id: Option<Uuid>,
    /// A name, or a prefix that ends in `*`. A `db_write` has its operation in its name: `db_write:delete`.
    pub tool: String,
    /// Gates that must have passed in the same run, and what is asked of them.
    pub requires: Vec<RequiredGate>,
    /// Who must approve; null: no approval is required.
    #[schema(value_type = Option<RequiredApproval>)]
    pub approval: Option<Value>,
    pub changed_by: String,
    pub changed_at: DateTime<Utc>,
}

/// A policy to set.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewGatePolicy {
    tool: String,
    #[serde(default)]
    requires: Vec<RequiredGate>,
    approval: Option<RequiredApproval>,
}

/// A gate that must have passed: by its name alone, which asks what the gate asks by default, or with what is asked of it.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub(crate) enum RequiredGate {
    Name(String),
    Asking(Box<AskedOfGate>),
}

/// What a policy asks of a gate. A verdict that was asked for less in one of these does not count. What is not stated is asked by default: a tool
/// that the gate chose itself, in the root folder, its own threshold, no exceptions.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[schema(title = "AskedOfGate")]
#[serde(deny_unknown_fields)]
pub(crate) struct AskedOfGate {
    /// `gate:unit`, …
    gate: String,
    /// The command that must have run, or `*` for any; default: one that the gate knows for the repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    /// The folder in which it must have run, or `*` for any; default: the root.
    #[serde(skip_serializing_if = "Option::is_none")]
    cwd: Option<String>,
    /// The plan's `report` and `format`; default: it states none.
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<String>,
    /// The highest minimum severity that may fail the gate: `info`, `warning` or `error`. Default: the gate's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    fail_on: Option<String>,
    /// The lowest threshold of gate:coverage; default: 90.
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<f64>,
    /// What the plan may exclude, entry by entry; default: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    exclude: Option<Vec<String>>,
    /// Advisories that the plan may accept; default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    accept: Option<Vec<String>>,
    /// What gate:coverage must have compared with; default: the default branch of the plan's repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<String>,
    /// How many tests must have run; default: 1 for gate:unit, otherwise 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    min_tests: Option<u64>,
    /// Variables that the plan may set for the gate; default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    env: Option<Vec<String>>,
    /// Images that the plan may name for the gate; default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    images: Option<Vec<String>>,
}

/// The approval that a policy requires.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequiredApproval {
    /// The minimum role: supervisor or admin.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    /// How many different people must approve.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_s: Option<u64>,
    /// For tenants whose only supervisor is the author of its runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    author_may_approve: Option<bool>,
    /// Whether API keys may approve, in the name of their makers. Default: people approve, signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    keys_may_approve: Option<bool>,
}

/// List the gate policies in force.
///
/// For every role. Returns the tenant's own policies and the defaults, which have no `tenant_id`, in one page by tool.
#[utoipa::path(get, path = "/gates/policies", security(("bearer" = [])),
    responses((status = 200, body = Page<GatePolicy>), (status = 304)))]
pub(crate) async fn list_gate_policies(State(app): State<App>, caller: Authenticated, headers: HeaderMap) -> Result<Response, Refusal> {
    Ok(cached(&headers, &Page { data: list_policies(&app, &caller).await?, next_cursor: None }))
}

/// The tenant's policies and the defaults.
pub(crate) async fn list_policies(app: &App, caller: &Caller) -> Result<Vec<GatePolicy>, Refusal> {
    let columns = "id,tenant_id,tool,requires,approval,changed_by,changed_at";
    let filters = vec![("select".to_owned(), columns.to_owned()), ("order".to_owned(), "tool,tenant_id".to_owned())];
    Ok(app.db(caller).read(&Query { table: "gate_policy", filters }).await?)
}

/// Set the gate policy of a tool.
///
/// For admins who are signed in, not for API keys; 100 policies a tenant. Replaces the previous policy of the tool. It applies to every step that is claimed from then on, also in runs that were
/// submitted earlier. Returns the policy as it is stored.
#[utoipa::path(post, path = "/gates/policies", request_body = NewGatePolicy, security(("bearer" = [])),
    responses((status = 200, body = GatePolicy)))]
pub(crate) async fn set_gate_policy(State(app): State<App>, caller: Authenticated, body: Body<NewGatePolicy>) -> Result<Response, Refusal> {
    let wanted = &body.value;
    let arguments = json!({"p_tool": wanted.tool, "p_requires": wanted.requires, "p_approval": wanted.approval});
    let policy: GatePolicy = app.db(&caller).call("set_gate_policy", &arguments).await?;
    Ok(axum::Json(policy).into_response())
}

/// Delete a gate policy of the tenant.
///
/// For admins who are signed in, not for API keys. The default policy of the tool applies again. A default cannot be deleted.
#[utoipa::path(delete, path = "/gates/policies/{id}", security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 204)))]
pub(crate) async fn delete_gate_policy(State(app): State<App>, caller: Authenticated, Path(id): Path<Uuid>) -> Result<StatusCode, Refusal> {
    app.db(&caller).call::<_, ()>("delete_gate_policy", &json!({"p_id": id})).await?;
    Ok(StatusCode::NO_CONTENT)
}
