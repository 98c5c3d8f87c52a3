//! The order of models of each tenant, cached: every call needs it, and it may be a little old.

use std::sync::Arc;
use std::time::Duration;

use nofx_shared::cache::TtlCache;
use nofx_shared::db;
use nofx_shared::engine::Failure;
use nofx_shared::models::{self, Settings};
use uuid::Uuid;

use super::caller::ModelCaller;

/// How long the settings of a tenant are cached.
const SETTINGS_TTL: Duration = Duration::from_secs(30);

pub(super) struct TenantOrders(TtlCache<Uuid, Settings>);

impl TenantOrders {
    pub(super) fn new() -> Self {
        Self(TtlCache::new(SETTINGS_TTL))
    }

    /// The settings of the caller's tenant.
    pub(super) async fn settings(&self, caller: &ModelCaller<'_>) -> Result<Arc<Settings>, Failure> {
        let tenant = caller.step.tenant_id;
        let read = || models::model_settings(caller.db, tenant);
        let found = self.0.get_or_load(tenant, async || caller.retry_until_stopped(read, db::Error::is_permanent).await).await;
        found.map_err(|error| Failure::transient(format!("could not read the settings of the tenant: {error}")))
    }
}
