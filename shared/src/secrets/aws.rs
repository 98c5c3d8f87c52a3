//! AWS Secrets Manager: one JSON secret a tenant, kept for a while. A name that what is kept does not have is asked for again,
//! so that a secret that was just added need not wait.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::DisplayErrorContext;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::store::{Error, complete};
use crate::net;
use crate::settings::Aws;

type Document = Arc<BTreeMap<String, String>>;

/// How soon the same missing name may be asked for again.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Manager {
    prefix: String,
    ttl: Duration,
    aws: Aws,
    client: OnceCell<Client>,
    kept: Mutex<HashMap<Uuid, (Instant, Document)>>,
}

impl Manager {
    pub(super) fn new(prefix: String, ttl: Duration, aws: Aws) -> Self {
        Self { prefix, ttl, aws, client: OnceCell::new(), kept: Mutex::default() }
    }

    pub(super) async fn read(&self, tenant: Uuid, names: &[String]) -> Result<BTreeMap<String, String>, Error> {
        let id = format!("{}/{tenant}", self.prefix);
        let kept = self.kept.lock().expect("nobody panics while holding it").get(&tenant).cloned();
        let has_all = |document: &Document| names.iter().all(|name| document.contains_key(name));
        let fresh = kept.filter(|(since, document)| {
            let age = since.elapsed();
            age < self.ttl && (has_all(document) || age < PATIENCE)
        });
        let document = match fresh {
            Some((_, document)) => document,
            None => {
                let document = Arc::new(self.fetch(&id).await?);
                self.kept.lock().expect("nobody panics while holding it").insert(tenant, (Instant::now(), Arc::clone(&document)));
                document
            }
        };
        complete(names, |name| document.get(name).cloned(), |name| format!("add the key {name} to the secret {id} in Secrets Manager"))
    }

    /// What the secret holds now: after a rotation the new version. One that does not exist holds nothing.
    async fn fetch(&self, id: &str) -> Result<BTreeMap<String, String>, Error> {
        let client = self.client.get_or_init(|| async { Client::new(&net::aws(&self.aws).await) }).await;
        let value = match client.get_secret_value().secret_id(id).send().await {
            Ok(value) => value,
            Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) => {
                return Ok(BTreeMap::new());
            }
            Err(error) => return Err(Error::Unavailable(DisplayErrorContext(error).to_string().into())),
        };
        let text = value.secret_string().unwrap_or_default();
        // The parser's own message would quote the secret.
        serde_json::from_str(text).map_err(|_| Error::Unavailable(format!("the secret {id} is not a JSON object of strings").into()))
    }
}
