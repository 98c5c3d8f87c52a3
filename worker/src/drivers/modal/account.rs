use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use nofx_shared::drivers::{Enforced, Level, Network};
use nofx_shared::settings;
use serde::Deserialize;
use serde_json::{Value, json};

use super::bridge::{Bridge, Bridges};
use super::sandbox::Sandbox;
use crate::drivers::{Account, Fault, Listed, Machine, Spec, Tags};

/// How long Modal may take to answer. An image that was never used is fetched first.
const CREATE_TIMEOUT: Duration = Duration::from_secs(300);
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// In an account all sandboxes belong to an app.
const APP: &str = "nofx";

pub(crate) struct Modal {
    settings: settings::Modal,
    bridges: Arc<Bridges>,
    token_id: String,
    token_secret: String,
}

#[derive(Deserialize)]
struct Created {
    sandbox: String,
}

#[derive(Deserialize)]
struct Found {
    sandboxes: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    sandbox: String,
    tags: BTreeMap<String, String>,
}

impl Modal {
    pub(crate) fn new(settings: settings::Modal, bridges: Arc<Bridges>, token_id: String, token_secret: String) -> Self {
        Self { settings, bridges, token_id, token_secret }
    }

    fn bridge(&self) -> Result<Arc<Bridge>, Fault> {
        self.bridges.of_account(&self.settings, &self.token_id, &self.token_secret)
    }

    async fn ask<T: serde::de::DeserializeOwned>(&self, op: &str, fields: Value, timeout: Duration) -> Result<T, Fault> {
        let bridge = self.bridge()?;
        let answer = async {
            let done = bridge.call(op, fields).await?.done().await;
            // The bridge knows better why it has ended.
            done.map_err(|fault| if matches!(fault, Fault::Unavailable(_)) && !bridge.is_alive() { bridge.ended() } else { fault })
        };
        let answer = tokio::time::timeout(timeout, answer).await;
        let answer = answer.map_err(|_| Fault::Unavailable(format!("Modal did not answer within {} s", timeout.as_secs())))??;
        serde_json::from_value(answer).map_err(|error| Fault::Unavailable(format!("the bridge to Modal sent something else: {error}")))
    }

    async fn create(&self, spec: &Spec) -> Result<Arc<dyn Machine>, Fault> {
        let fields = json!({
            "app": APP,
            "image": spec.image.as_ref().map(|image| image.as_str()),
            "tags": spec.tags.to_map(),
            "lifetime_s": spec.lifetime.as_secs().max(1),
            "memory_mb": spec.limits.memory_mb,
            "block_network": spec.network == Network::None,
        });
        match self.ask::<Created>("create", fields, CREATE_TIMEOUT).await {
            Ok(created) => Ok(Arc::new(Sandbox { id: created.sandbox, bridge: self.bridge()? })),
            // Before there is a sandbox, what is not found is the image.
            Err(Fault::Gone(why)) => Err(Fault::Refused(why)),
            Err(fault) => Err(fault),
        }
    }

    async fn list(&self, deployment: &str) -> Result<Vec<Listed>, Fault> {
        let tags = json!({Tags::DEPLOYMENT: deployment});
        let found: Found = self.ask("list", json!({"app": APP, "tags": tags}), CALL_TIMEOUT).await?;
        let listed = found.sandboxes.into_iter().filter_map(|one| {
            let tags = Tags::read(&one.tags).filter(|tags| tags.deployment == deployment)?;
            Some(Listed { tags, id: one.sandbox })
        });
        Ok(listed.collect())
    }
}

impl Account for Modal {
    fn enforces(&self, spec: &Spec) -> Result<Enforced, String> {
        if spec.network == Network::Proxy {
            return Err("Modal has no egress proxy; set `resources.network` to `none` or `all`".to_owned());
        }
        Ok(Enforced {
            level: Some(Level::L4),
            driver: spec.kind.0.as_str().to_owned(),
            limits: spec.limits,
            network: Some(spec.network).filter(|network| *network == Network::None),
            ..Enforced::default()
        })
    }

    fn create<'a>(&'a self, spec: &'a Spec) -> BoxFuture<'a, Result<Arc<dyn Machine>, Fault>> {
        self.create(spec).boxed()
    }

    fn list<'a>(&'a self, deployment: &'a str) -> BoxFuture<'a, Result<Vec<Listed>, Fault>> {
        self.list(deployment).boxed()
    }

    fn kill<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), Fault>> {
        async move { self.ask::<Value>("terminate", json!({"sandbox": id}), CALL_TIMEOUT).await.map(drop) }.boxed()
    }
}
