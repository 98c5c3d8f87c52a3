use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::secrets::open_secrets;
use super::target::{HookTarget, StoredTarget};
use crate::crypto::{Keyring, UnsealError};
use crate::db::{Db, Error};
use crate::events::{Cursor, EventRow};

/// When a hook is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum HookPhase {
    /// Before a request that changes something; may deny it.
    Pre,
    /// After such a request succeeded.
    Post,
    /// After such a request was refused or failed.
    Error,
    /// When an event is written.
    Background,
}

/// A hook, with what a call of it needs.
#[derive(Clone, Debug)]
pub struct Hook {
    pub id: Uuid,
    pub name: String,
    pub phase: HookPhase,
    pub filter: String,
    pub target: HookTarget,
    pub secrets: Vec<String>,
}

/// The same as the database has it.
#[derive(Deserialize)]
struct StoredHook {
    id: Uuid,
    name: String,
    phase: HookPhase,
    filter: String,
    target: StoredTarget,
    secrets: Vec<String>,
}

#[derive(Deserialize)]
struct StoredRequestHooks {
    hooks: Vec<StoredHook>,
    networks: Vec<IpNet>,
}

/// The hooks of a tenant's requests.
#[derive(Clone, Debug, Default)]
pub struct RequestHooks {
    pub hooks: Vec<Hook>,
    /// Private networks that they may reach.
    pub networks: Vec<IpNet>,
}

/// Events of a tenant that its hooks have not seen, after the cursor `tx`, `id`.
#[derive(Debug, Deserialize)]
pub struct HookBatch {
    pub tenant_id: Uuid,
    pub tx: i64,
    pub id: i64,
    pub hooks: Vec<HookFilter>,
    pub events: Vec<EventRow>,
}

#[derive(Debug, Deserialize)]
pub struct HookFilter {
    pub id: Uuid,
    pub filter: String,
}

/// A delivery to enqueue.
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    pub hook_id: Uuid,
    /// The event's cursor or the request's id: each is delivered to a hook once.
    pub dedup_key: String,
    pub body: String,
    pub run_id: Option<Uuid>,
}

/// A delivery that is due.
#[derive(Debug, Deserialize)]
pub struct DueDelivery {
    pub id: Uuid,
    pub tenant_id: Uuid,
    pub hook: String,
    pub created_by: String,
    /// As it is stored: `open` has what is called.
    pub target: StoredTarget,
    pub secrets: Vec<String>,
    pub networks: Vec<IpNet>,
    pub body: String,
    pub attempts: u32,
}

/// Deliveries that this worker has claimed.
#[derive(Debug, Deserialize)]
pub struct ClaimedDeliveries {
    pub due: Vec<DueDelivery>,
    /// When the next one will be due that is not now.
    pub next_at: Option<DateTime<Utc>>,
}

impl DueDelivery {
    /// The target, and the secrets that sign.
    pub fn open(&self, keys: &Keyring) -> Result<(HookTarget, Vec<String>), UnsealError> {
        Ok((self.target.clone().open(keys, self.tenant_id, &self.hook)?, open_secrets(keys, self.tenant_id, &self.hook, &self.secrets)?))
    }
}

/// The hooks of a tenant's requests.
pub async fn request_hooks(db: &Db, keys: &Keyring, tenant: Uuid) -> Result<RequestHooks, Error> {
    let stored: StoredRequestHooks = db.call("request_hooks", &json!({"p_tenant": tenant})).await?;
    let open = |hook: StoredHook| {
        let secrets = open_secrets(keys, tenant, &hook.name, &hook.secrets)?;
        let target = hook.target.open(keys, tenant, &hook.name)?;
        Ok(Hook { id: hook.id, name: hook.name, phase: hook.phase, filter: hook.filter, target, secrets })
    };
    // One that cannot be opened might be the one that denies: no request passes without it.
    let hooks = stored.hooks.into_iter().map(open).collect::<Result<_, UnsealError>>().map_err(Error::from)?;
    Ok(RequestHooks { hooks, networks: stored.networks })
}

/// Events of tenants that have hooks.
pub async fn read_hook_events(db: &Db) -> Result<Vec<HookBatch>, Error> {
    db.call("read_hook_events", &json!({})).await
}

/// Enqueues deliveries and moves the cursor of the subscription; false when another worker has moved it.
pub async fn advance_hook_cursor(db: &Db, tenant: Uuid, from: Cursor, to: Cursor, deliveries: &[Delivery]) -> Result<bool, Error> {
    let arguments = json!({
        "p_tenant": tenant, "p_tx": from.tx, "p_id": from.id, "p_next_tx": to.tx, "p_next_id": to.id, "p_deliveries": deliveries,
    });
    db.call("advance_hook_cursor", &arguments).await
}

/// Enqueues deliveries.
pub async fn enqueue_deliveries(db: &Db, tenant: Uuid, deliveries: &[Delivery]) -> Result<(), Error> {
    db.call("enqueue_deliveries", &json!({"p_tenant": tenant, "p_deliveries": deliveries})).await
}

/// Claims up to `limit` deliveries that are due, for half a minute.
pub async fn claim_deliveries(db: &Db, limit: usize) -> Result<ClaimedDeliveries, Error> {
    db.call("claim_deliveries", &json!({"p_limit": limit})).await
}

/// Records an attempt.
pub async fn record_delivery_attempt(db: &Db, id: Uuid, attempt: &Value) -> Result<(), Error> {
    let _: Option<String> = db.call("record_delivery_attempt", &json!({"p_id": id, "p_attempt": attempt})).await?;
    Ok(())
}
