//! The store of secret values. Fails closed: a step never runs with some of its secrets only.

use serde_json::json;
use std::collections::BTreeMap;
use uuid::Uuid;

use super::aws::SecretsManager;
use crate::db::{self, Db};
use crate::settings;

/// Why a secret could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the secret {name} was not found: {hint}")]
    Missing { name: String, hint: String },
    /// The store does not answer now; the same call may go through later.
    #[error("the secret store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Whether another attempt cannot succeed.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }
}

/// The store of the settings.
pub struct SecretStore {
    driver: Driver,
}

enum Driver {
    Env,
    Aws(Box<SecretsManager>),
    Vault(Db),
}

impl SecretStore {
    /// Makes no call until a step names a secret. `service` is the database as the service role.
    pub fn new(settings: settings::Secrets, service: Db) -> Self {
        let driver = match settings {
            settings::Secrets::Env => Driver::Env,
            settings::Secrets::Aws { prefix, ttl, aws } => Driver::Aws(Box::new(SecretsManager::new(prefix, ttl, aws))),
            settings::Secrets::Vault => Driver::Vault(service),
        };
        Self { driver }
    }

    /// A secret of the deployment itself, which no step can name: it stands beside the tenants', under the nil id. None where secrets come
    /// from the environment: there it is a setting.
    pub async fn of_deployment(&self, name: &str) -> Option<Result<String, Error>> {
        if matches!(self.driver, Driver::Env) {
            return None;
        }
        let found = self.read(Uuid::nil(), &[name.to_owned()]).await;
        Some(found.map(|mut found| found.remove(name).unwrap_or_default()))
    }

    /// The values of all these names, or the first error.
    pub async fn read(&self, tenant: Uuid, names: &[String]) -> Result<BTreeMap<String, String>, Error> {
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        match &self.driver {
            Driver::Env => require_all(names, settings::secret, |name| format!("set NOFX_SECRET_{name} for the worker")),
            Driver::Aws(manager) => manager.read(tenant, names).await,
            Driver::Vault(db) => {
                let found: Result<BTreeMap<String, String>, db::Error> =
                    db.call("read_secrets", &json!({"p_tenant": tenant, "p_names": names})).await;
                let found = found.map_err(|error| Error::Unavailable(error.into()))?;
                require_all(names, |name| found.get(name).cloned(), |name| format!("create {tenant}/{name} in Supabase Vault"))
            }
        }
    }
}

/// All names with their values, or an error for the first that has none.
pub(super) fn require_all(
    names: &[String],
    value: impl Fn(&str) -> Option<String>,
    hint: impl Fn(&str) -> String,
) -> Result<BTreeMap<String, String>, Error> {
    let one = |name: &String| {
        let missing = || Error::Missing { name: name.clone(), hint: hint(name) };
        value(name).map(|value| (name.clone(), value)).ok_or_else(missing)
    };
    names.iter().map(one).collect()
}
