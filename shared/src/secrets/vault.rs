//! Supabase Vault: read through the database, which decrypts. Nothing is cached.

use std::collections::BTreeMap;

use serde_json::json;
use uuid::Uuid;

use super::error::{Error, require_all};
use crate::db::{self, Db};

pub(super) async fn read(service: &Db, tenant: Uuid, names: &[String]) -> Result<BTreeMap<String, String>, Error> {
    let found: Result<BTreeMap<String, String>, db::Error> =
        service.call("read_secrets", &json!({"p_tenant": tenant, "p_names": names})).await;
    let found = found.map_err(|error| Error::Unavailable(error.into()))?;
    require_all(names, |name| found.get(name).cloned(), |name| format!("create {tenant}/{name} in Supabase Vault"))
}
