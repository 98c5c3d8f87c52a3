//! The order of models of each tenant, cached: every call needs it, and it may be a little old.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use nofx_shared::db;
use nofx_shared::engine::Failure;
use nofx_shared::models::{self, Settings};
use tokio::time::Instant;
use uuid::Uuid;

use super::caller::ModelCaller;

/// How long the settings of a tenant are cached.
const SETTINGS_TTL: Duration = Duration::from_secs(30);

#[derive(Default)]
pub(super) struct TenantOrders(Mutex<HashMap<Uuid, (Instant, Settings)>>);

impl TenantOrders {
    /// The settings of the caller's tenant.
    pub(super) async fn settings(&self, caller: &ModelCaller<'_>) -> Result<Settings, Failure> {
        let tenant = caller.step.tenant_id;
        if let Some((at, cached)) = self.0.lock().expect("the lock is never poisoned").get(&tenant)
            && at.elapsed() < SETTINGS_TTL
        {
            return Ok(cached.clone());
        }
        let read = || models::model_settings(caller.db, tenant);
        let found = caller.retry_until_stopped(read, db::Error::is_permanent).await;
        let found = found.map_err(|error| Failure::transient(format!("could not read the settings of the tenant: {error}")))?;
        self.0.lock().expect("the lock is never poisoned").insert(tenant, (Instant::now(), found.clone()));
        Ok(found)
    }
}
