//! The open breakers in Vercel Edge Config, so that functions can show them without a call of the database. They may be a minute old:
//! the database alone decides whether a step runs.
//!
//! Shapes: <https://vercel.com/docs/edge-config/edge-config-api> (reading) and
//! <https://vercel.com/docs/rest-api/reference/endpoints/edge-config> (writing).

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::BreakerState;
use crate::db::{self, Db, Query};
use crate::net;
use crate::settings;

/// The one item: the open breakers by tenant.
const ITEM: &str = "nofx_breakers";
const DEADLINE: Duration = Duration::from_secs(2);

/// Targets whose breakers are not closed, with their states.
pub type OpenBreakers = BTreeMap<String, BreakerState>;

/// Why Edge Config could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("Edge Config is unavailable")]
    Unreachable(#[from] reqwest::Error),
    #[error("Edge Config returned {0}")]
    Refused(StatusCode),
    #[error("could not read the breakers")]
    Database(#[from] db::Error),
}

#[derive(Deserialize)]
struct Row {
    tenant_id: Uuid,
    target: String,
    state: BreakerState,
}

/// The breakers that are not closed, as the database has them now.
///
/// # Errors
/// When the database does not respond.
pub async fn open_breakers(db: &Db) -> Result<OpenBreakers, db::Error> {
    Ok(rows(db).await?.into_iter().map(|row| (row.target, row.state)).collect())
}

async fn rows(db: &Db) -> Result<Vec<Row>, db::Error> {
    let filters = [("select", "tenant_id,target,state"), ("state", "neq.closed"), ("order", "tenant_id,target")];
    db.read(&Query::of("handler_health", filters)).await
}

pub struct EdgeConfig {
    /// Created with the first call: most requests make none.
    client: LazyLock<reqwest::Client>,
    settings: settings::EdgeConfig,
}

impl EdgeConfig {
    pub fn new(settings: settings::EdgeConfig) -> Self {
        Self { client: LazyLock::new(net::client), settings }
    }

    /// The open breakers of a tenant; none when they were never published.
    ///
    /// # Errors
    /// When Edge Config does not return them.
    pub async fn open_breakers(&self, tenant: Uuid) -> Result<Option<OpenBreakers>, Error> {
        Ok(self.read().await?.map(|mut all| all.remove(&tenant).unwrap_or_default()))
    }

    async fn read(&self) -> Result<Option<BTreeMap<Uuid, OpenBreakers>>, Error> {
        let url = format!("{}/item/{ITEM}", self.settings.url);
        let answer = self.client.get(url).bearer_auth(&self.settings.read_token).timeout(DEADLINE).send().await?;
        match answer.status() {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => Ok(Some(answer.json().await?)),
            status => Err(Error::Refused(status)),
        }
    }

    /// Publishes the open breakers if they differ from what Edge Config has: writes are limited and expensive. `db` is the service's.
    /// Without a token for writing nothing is done.
    ///
    /// # Errors
    /// When the database or Edge Config does not respond.
    pub async fn publish(&self, db: &Db) -> Result<bool, Error> {
        let Some(writer) = &self.settings.writer else { return Ok(false) };
        let mut now: BTreeMap<Uuid, OpenBreakers> = BTreeMap::new();
        for row in rows(db).await? {
            now.entry(row.tenant_id).or_default().insert(row.target, row.state);
        }
        if self.read().await?.as_ref() == Some(&now) {
            return Ok(false);
        }
        let body = json!({"items": [{"operation": "upsert", "key": ITEM, "value": now}]});
        let request = self.client.patch(format!("{}/v1/edge-config/{}/items", writer.url, self.settings.id));
        let request = writer.team.iter().fold(request, |request, team| request.query(&[("teamId", team)]));
        let answer = request.bearer_auth(&writer.token).json(&body).timeout(DEADLINE).send().await?;
        if answer.status().is_success() { Ok(true) } else { Err(Error::Refused(answer.status())) }
    }
}
