//! The accounts in which machines are made: each tenant's own when its secrets have the keys of a driver, else the deployment's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use nofx_shared::db::Db;
use nofx_shared::drivers::{Driver, Placement};
use nofx_shared::engine::Failure;
use nofx_shared::secrets::{self, Error, SecretStore};
use nofx_shared::settings;
use uuid::Uuid;

use super::{Account, Kind, Spec};
use crate::drivers::e2b::E2b;
use crate::drivers::modal::{Bridges, Modal};
use crate::drivers::task::{EcsClient, Tasks};

/// Makes an account of its keys.
type Make = fn(&Providers, Vec<String>) -> Option<Arc<dyn Account>>;

/// A driver that makes machines.
struct Maker {
    kind: Kind,
    /// The names of its keys: secrets of a tenant or of the deployment, or settings. None: the worker calls it as itself.
    keys: &'static [&'static str],
    /// An account, of the keys in this order. None: the settings that it needs are not there.
    account: Make,
    /// What must be set for it, in words.
    needs: &'static str,
    /// Whether a call of an account that nobody uses costs more than the call: Modal's starts a process.
    is_costly: bool,
}

/// The one list of drivers that make machines.
const MAKERS: [Maker; 3] = [
    Maker {
        kind: (Driver::E2b, None),
        keys: &["E2B_API_KEY"],
        account: |providers, keys| Some(Arc::new(E2b::new(providers.settings.e2b.clone(), keys.concat()))),
        needs: "neither the tenant's secrets nor the settings have E2B_API_KEY",
        is_costly: false,
    },
    Maker {
        kind: (Driver::Modal, None),
        keys: &["MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET"],
        account: |providers, keys| {
            let [id, secret]: [String; 2] = keys.try_into().ok()?;
            let settings = providers.settings.modal.clone()?;
            Some(Arc::new(Modal::new(settings, Arc::clone(&providers.bridges), id, secret)))
        },
        needs: "the setting NOFX_MODAL_PYTHON is needed, and MODAL_TOKEN_ID and MODAL_TOKEN_SECRET in the tenant's secrets or the settings",
        is_costly: true,
    },
    Maker {
        kind: (Driver::WorkerContainer, Some(Placement::Ecs)),
        keys: &[],
        account: |providers, _| Some(Arc::new(Tasks::new(providers.settings.tasks.clone()?, Arc::clone(&providers.ecs)))),
        needs: "the setting NOFX_TASK_CLUSTER is needed for tasks of steps",
        is_costly: false,
    },
];

/// What accounts share.
struct Providers {
    settings: settings::Machines,
    bridges: Arc<Bridges>,
    ecs: EcsClient,
}

/// Whose account it is: the place of its driver in the list, and the tenant, or none for the deployment's.
type Owner = (usize, Option<Uuid>);

/// Most accounts that are searched at once for machines that nobody ended.
const SEARCHED: usize = 10_000;

pub(crate) struct Accounts {
    providers: Providers,
    secrets: Arc<SecretStore>,
    db: Db,
    /// The name of this deployment in tags: several may share an account.
    pub deployment: String,
    /// Where machines may be that nobody ends: the deployment's when the worker starts, which may have been killed before, and each that is
    /// used since it was found empty.
    searched: Mutex<BTreeSet<Owner>>,
}

/// An account to be searched, and whose it is: tenants may share one.
#[derive(Clone)]
pub(crate) struct Searched {
    pub account: Arc<dyn Account>,
    owners: Vec<Owner>,
}

impl Searched {
    /// Whether it is the deployment's, too.
    pub(crate) fn is_deployments(&self) -> bool {
        self.owners.iter().any(|(_, tenant)| tenant.is_none())
    }
}

impl Accounts {
    pub(crate) fn new(settings: settings::Machines, secrets: Arc<SecretStore>, db: Db, deployment: String) -> Self {
        let providers = Providers { settings, bridges: Arc::default(), ecs: EcsClient::default() };
        let searched = (0..MAKERS.len()).map(|place| (place, None)).collect();
        Self { providers, secrets, db, deployment, searched: Mutex::new(searched) }
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
        let place = place_of(spec.kind).ok_or_else(|| refused("the driver makes no machines"))?;
        let maker = &MAKERS[place];
        let (keys, owner) = match self.own_keys(place, tenant).await.map_err(failed)? {
            Some(keys) => {
                let names = maker.keys.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
                let recorded = secrets::record_use(&self.db, tenant, &names, None).await;
                recorded.map_err(|error| Failure::transient(format!("the use of the keys of {driver} could not be recorded: {error}")))?;
                (Some(keys), (place, Some(tenant)))
            }
            None => (self.keys_of_deployment(place).await.map_err(failed)?, (place, None)),
        };
        self.search_again([owner]);
        keys.and_then(|keys| (maker.account)(&self.providers, keys)).ok_or_else(|| refused(maker.needs))
    }

    /// A machine of this attempt may be left.
    pub(super) fn search_for(&self, spec: &Spec) {
        if let Some(place) = place_of(spec.kind) {
            self.search_again([(place, Some(spec.tags.tenant)), (place, None)]);
        }
    }

    /// The accounts in which machines of this deployment may be that nobody ends. Each is forgotten, unless it is used meanwhile or `keep`
    /// is called; the deployment's stay where a call costs nothing: machines of other workers are there, too.
    pub(crate) async fn take_searched(&self) -> Vec<Searched> {
        let mut owners = std::mem::take(&mut *self.searched.lock().unwrap_or_else(PoisonError::into_inner));
        owners.extend((0..MAKERS.len()).filter(|place| !MAKERS[*place].is_costly).map(|place| (place, None)));
        let mut all = BTreeMap::<_, Vec<Owner>>::new();
        for owner in owners {
            let (place, tenant) = owner;
            let keys = match tenant {
                Some(tenant) => self.own_keys(place, tenant).await,
                None => self.keys_of_deployment(place).await,
            };
            match keys {
                Ok(Some(keys)) => all.entry((place, keys)).or_default().push(owner),
                Ok(None) => {}
                // They can be read later.
                Err(_) => self.search_again([owner]),
            }
        }
        let searched = |((place, keys), owners): ((usize, Vec<String>), _)| {
            let account = (MAKERS[place].account)(&self.providers, keys)?;
            Some(Searched { account, owners })
        };
        all.into_iter().filter_map(searched).collect()
    }

    /// Searches it again the next time.
    pub(crate) fn keep(&self, searched: &Searched) {
        self.search_again(searched.owners.iter().copied());
    }

    fn search_again(&self, owners: impl IntoIterator<Item = Owner>) {
        let mut searched = self.searched.lock().unwrap_or_else(PoisonError::into_inner);
        for owner in owners {
            // In what finds no place machines end with their lifetime.
            if searched.len() < SEARCHED {
                searched.insert(owner);
            }
        }
    }

    async fn own_keys(&self, place: usize, tenant: Uuid) -> Result<Option<Vec<String>>, Error> {
        if MAKERS[place].keys.is_empty() {
            return Ok(None);
        }
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
            let key = match self.providers.settings.keys.get(*name) {
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

#[cfg(test)]
mod tests;
