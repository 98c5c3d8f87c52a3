//! The accounts in which machines are made: each tenant's own when its secrets have the keys of a driver, else the deployment's.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use nofx_shared::drivers::Driver;
use nofx_shared::engine::Failure;
use nofx_shared::secrets::{Error, SecretStore};
use nofx_shared::settings;
use uuid::Uuid;

use super::{Account, Kind, Spec};
use crate::drivers::e2b::E2b;

/// A driver that makes machines.
struct Maker {
    kind: Kind,
    /// The names of its keys: secrets of a tenant or of the deployment, or settings.
    keys: &'static [&'static str],
    /// An account, of the keys in this order.
    account: fn(&settings::Machines, Vec<String>) -> Arc<dyn Account>,
}

/// The one list of drivers that make machines.
const MAKERS: [Maker; 1] = [Maker {
    kind: (Driver::E2b, None),
    keys: &["E2B_API_KEY"],
    account: |settings, keys| Arc::new(E2b::new(settings.e2b.clone(), keys.concat())),
}];
/// Most tenants whose own accounts are searched for machines that nobody ended.
const TENANTS: usize = 10_000;

pub(crate) struct Accounts {
    settings: settings::Machines,
    secrets: Arc<SecretStore>,
    /// The name of this deployment in tags: several may share an account.
    pub deployment: String,
    /// Tenants with an account of their own that had machines since this worker started.
    tenants: Mutex<BTreeSet<(usize, Uuid)>>,
}

impl Accounts {
    pub(crate) fn new(settings: settings::Machines, secrets: Arc<SecretStore>, deployment: String) -> Self {
        Self { settings, secrets, deployment, tenants: Mutex::default() }
    }

    /// Whether programs of these steps run on machines.
    pub(crate) fn make(kind: Kind) -> bool {
        place_of(kind).is_some()
    }

    /// The account for an attempt.
    pub(super) async fn of_tenant(&self, spec: &Spec) -> Result<Arc<dyn Account>, Failure> {
        let ((driver, _), tenant) = (spec.kind, spec.tags.tenant);
        let refused = |why: &str| Failure::permanent(format!("this deployment does not offer the driver {driver}: {why}"));
        let failed = |error: Error| Failure::transient(format!("could not read the keys of {driver}: {error}"));
        let place = place_of(spec.kind).ok_or_else(|| refused("it makes no machines"))?;
        if let Some(keys) = self.own_keys(place, tenant).await.map_err(failed)? {
            let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
            if tenants.len() < TENANTS {
                tenants.insert((place, tenant));
            }
            return Ok((MAKERS[place].account)(&self.settings, keys));
        }
        let keys = self.keys_of_deployment(place).await.map_err(failed)?;
        let names = MAKERS[place].keys.join(" and ");
        let keys = keys.ok_or_else(|| refused(&format!("neither the tenant's secrets nor the settings have {names}")))?;
        Ok((MAKERS[place].account)(&self.settings, keys))
    }

    /// All accounts in which machines of this deployment may be. Those whose keys cannot be read now are left out.
    pub(crate) async fn all(&self) -> Vec<Arc<dyn Account>> {
        // Tenants may share an account.
        let mut all = BTreeSet::new();
        for place in 0..MAKERS.len() {
            if let Ok(Some(keys)) = self.keys_of_deployment(place).await {
                all.insert((place, keys));
            }
        }
        let tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (place, tenant) in tenants {
            if let Ok(Some(keys)) = self.own_keys(place, tenant).await {
                all.insert((place, keys));
            }
        }
        all.into_iter().map(|(place, keys)| (MAKERS[place].account)(&self.settings, keys)).collect()
    }

    async fn own_keys(&self, place: usize, tenant: Uuid) -> Result<Option<Vec<String>>, Error> {
        let names: Vec<String> = MAKERS[place].keys.iter().map(|name| (*name).to_owned()).collect();
        match self.secrets.read(tenant, &names).await {
            Ok(mut found) => Ok(names.iter().map(|name| found.remove(name)).collect()),
            Err(Error::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn keys_of_deployment(&self, place: usize) -> Result<Option<Vec<String>>, Error> {
        let mut keys = vec![];
        for name in MAKERS[place].keys {
            let key = match self.settings.keys.get(*name) {
                Some(key) => Some(key.clone()),
                None => match self.secrets.of_deployment(name).await {
                    Some(Ok(key)) => Some(key),
                    None | Some(Err(Error::Missing { .. })) => None,
                    Some(Err(error)) => return Err(error),
                },
            };
            let Some(key) = key.filter(|key| !key.is_empty()) else { return Ok(None) };
            keys.push(key);
        }
        Ok(Some(keys))
    }
}

/// Where it is in the list.
fn place_of(kind: Kind) -> Option<usize> {
    MAKERS.iter().position(|maker| maker.kind == kind)
}
