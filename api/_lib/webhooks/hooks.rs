//! `/api/hooks`: the hooks of a tenant.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use nofx_shared::auth::Role;
use nofx_shared::crypto::{Keyring, UnsealError};
use nofx_shared::db::{self, Query};
use nofx_shared::hooks::{self, HookPhase, HookTarget, StoredTarget};
use nofx_shared::plan::expression::apart;
use nofx_shared::problem::{Fault, Kind, Problem};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::App;
use crate::http::{Authenticated, Body, Page, Path, Refusal, cached};

/// A hook; its secret is shown once, when it is created.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct HookSummary {
    id: Uuid,
    name: String,
    phase: HookPhase,
    /// CEL over `event` (background) or `request`; empty for all.
    filter: String,
    target: HookTarget,
    created_by: String,
    created_at: DateTime<Utc>,
    /// Why the hook was disabled; setting it again enables it.
    disabled_reason: Option<String>,
}

/// A hook as the database has it.
#[derive(Deserialize)]
struct StoredHook {
    id: Uuid,
    name: String,
    phase: HookPhase,
    filter: String,
    target: StoredTarget,
    created_by: String,
    created_at: DateTime<Utc>,
    #[serde(default)]
    disabled_reason: Option<String>,
    /// The sealed secret that was given, if the hook uses it now.
    #[serde(default)]
    secret: Option<String>,
}

impl StoredHook {
    fn open(self, keys: &Keyring, tenant: Uuid) -> Result<HookSummary, UnsealError> {
        let target = self.target.open(keys, tenant, &self.name)?;
        let Self { id, name, phase, filter, created_by, created_at, disabled_reason, .. } = self;
        Ok(HookSummary { id, name, phase, filter, target, created_by, created_at, disabled_reason })
    }
}

/// A hook to set; replaces the one with the same name.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewHook {
    name: String,
    phase: HookPhase,
    #[serde(default)]
    filter: String,
    target: HookTarget,
    /// Create a new secret; the previous one keeps signing as well. A new hook always gets one.
    #[serde(default)]
    rotate: bool,
}

/// The hook as it is stored, and its secret if that was just created.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct SetHook {
    #[serde(flatten)]
    hook: HookSummary,
    /// The secret that signs deliveries (Standard Webhooks), if it was just created.
    secret: Option<String>,
}

/// List the hooks.
///
/// For supervisors. Returns all of them in one page, by name, without their secrets.
#[utoipa::path(get, path = "/hooks", security(("bearer" = [])),
    responses((status = 200, body = Page<HookSummary>), (status = 304)))]
pub(crate) async fn list_hooks(State(app): State<App>, caller: Authenticated, headers: HeaderMap) -> Result<Response, Refusal> {
    caller.at_least(Role::Supervisor)?;
    let columns = "id,name,phase,filter,target,created_by,created_at,disabled_reason";
    let filters = vec![("select".to_owned(), columns.to_owned()), ("order".to_owned(), "name".to_owned())];
    let stored: Vec<StoredHook> = app.db(&caller).read(&Query { table: "hook", filters }).await?;
    let keys = &app.settings().encryption_keys;
    let data = stored.into_iter().map(|hook| hook.open(keys, caller.tenant)).collect::<Result<Vec<_>, _>>().map_err(db::Error::from)?;
    Ok(cached(&headers, &Page { data, next_cursor: None }))
}

/// Set a hook.
///
/// For admins. Creates the hook, or replaces the one with the same name; its secret is returned when it was just made, and never again. A
/// hook that was disabled is enabled again.
#[utoipa::path(post, path = "/hooks", request_body = NewHook, security(("bearer" = [])),
    responses((status = 200, body = SetHook)))]
pub(crate) async fn set_hook(State(app): State<App>, caller: Authenticated, body: Body<NewHook>) -> Result<Response, Refusal> {
    caller.at_least(Role::Admin)?;
    let wanted = &body.value;
    let filter = wanted.filter.clone();
    apart(move || hooks::check(&filter)).await.map_err(|error| {
        Problem::new(Kind::InvalidHook, "The filter is not valid CEL.").with_faults(vec![Fault::new("/filter", error.to_string())])
    })?;
    let keys = &app.settings().encryption_keys;
    let target = wanted.target.seal(keys, caller.tenant, &wanted.name);
    let target = target.map_err(|why| Problem::new(Kind::InvalidHook, format!("The hook's target is not valid: {why}.")))?;
    let secret = matches!(wanted.target, HookTarget::Webhook { .. }).then(hooks::make_secret);
    let sealed = secret.as_ref().map(|secret| hooks::seal_secret(keys, caller.tenant, &wanted.name, secret));
    let arguments = json!({
        "p_name": wanted.name, "p_phase": wanted.phase, "p_filter": wanted.filter, "p_target": target, "p_secret": sealed,
        "p_rotate": wanted.rotate,
    });
    let stored: StoredHook = app.db(&caller).call("set_hook", &arguments).await?;
    app.invalidate_hooks(caller.tenant);
    let secret = secret.filter(|_| stored.secret.is_some());
    let hook = stored.open(keys, caller.tenant).map_err(db::Error::from)?;
    Ok(axum::Json(SetHook { hook, secret }).into_response())
}

/// Delete a hook.
///
/// For admins. Its deliveries are deleted with it; those that are under way end.
#[utoipa::path(delete, path = "/hooks/{id}", security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 204)))]
pub(crate) async fn delete_hook(State(app): State<App>, caller: Authenticated, Path(id): Path<Uuid>) -> Result<StatusCode, Refusal> {
    app.db(&caller).call::<_, ()>("delete_hook", &json!({"p_id": id})).await?;
    app.invalidate_hooks(caller.tenant);
    Ok(StatusCode::NO_CONTENT)
}
