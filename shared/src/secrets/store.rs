//! The store of secret values. Fails closed: a step never runs with some of its secrets only. Each driver reads in a file of its own.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::aws::SecretsManager;
use super::error::Error;
use super::{env, vault};
use crate::db::Db;
use crate::settings;

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
            Driver::Env => env::of_environment(names),
            Driver::Aws(manager) => manager.read(tenant, names).await,
            Driver::Vault(service) => vault::read(service, tenant, names).await,
        }
    }
}
