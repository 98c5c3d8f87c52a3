//! AWS Secrets Manager: one JSON secret a tenant, cached for a while. A name that the cache does not have is fetched again, so that a
//! secret that was just added is found.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::DisplayErrorContext;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::error::{Error, require_all};
use crate::cache::TtlCache;
use crate::net;
use crate::settings::Aws;

type Document = BTreeMap<String, String>;

/// How soon a missing name may be fetched again.
const RETRY_AFTER: Duration = Duration::from_secs(5);

pub(super) struct SecretsManager {
    prefix: String,
    aws: Aws,
    client: OnceCell<Client>,
    cache: TtlCache<Uuid, Document>,
}

impl SecretsManager {
    pub(super) fn new(prefix: String, ttl: Duration, aws: Aws) -> Self {
        Self { prefix, aws, client: OnceCell::new(), cache: TtlCache::new(ttl) }
    }

    pub(super) async fn read(&self, tenant: Uuid, names: &[String]) -> Result<BTreeMap<String, String>, Error> {
        let id = format!("{}/{tenant}", self.prefix);
        let cached = self.cache.peek(&tenant).filter(|document| names.iter().all(|name| document.contains_key(name)));
        let document = match cached.or_else(|| self.cache.peek_younger(&tenant, RETRY_AFTER)) {
            Some(document) => document,
            None => self.cache.insert(tenant, self.fetch(&id).await?),
        };
        require_all(names, |name| document.get(name).cloned(), |name| format!("add the key {name} to the secret {id} in Secrets Manager"))
    }

    /// The current version of the secret; empty when it does not exist.
    async fn fetch(&self, id: &str) -> Result<Document, Error> {
        let client = self.client.get_or_init(|| async { Client::new(&net::aws(&self.aws).await) }).await;
        let value = match client.get_secret_value().secret_id(id).send().await {
            Ok(value) => value,
            Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) => {
                return Ok(Document::new());
            }
            Err(error) => return Err(Error::Unavailable(DisplayErrorContext(error).to_string().into())),
        };
        let text = value.secret_string().unwrap_or_default();
        // The parser's own message would quote the secret.
        serde_json::from_str(text).map_err(|_| Error::Unavailable(format!("the secret {id} is not a JSON object of strings").into()))
    }
}
