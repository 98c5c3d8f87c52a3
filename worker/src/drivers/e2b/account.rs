use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use nofx_shared::drivers::{Enforced, Level, Network};
use nofx_shared::net;
use nofx_shared::settings;
use reqwest::{Method, RequestBuilder, Response};
use serde::Deserialize;
use serde_json::json;

use super::answer::{Part, chain, send};
use super::sandbox::Sandbox;
use crate::drivers::{Account, Fault, Listed, Machine, Spec, Tags};

/// The template of a step that names none: E2B's own.
const BASE: &str = "base";
/// The longest life of a sandbox that any account may have, in seconds.
const LONGEST_LIFE_S: u64 = 86_400;
const LIMIT: Duration = Duration::from_secs(30);
/// A start of a sandbox whose template is not at hand.
const CREATE_LIMIT: Duration = Duration::from_secs(90);
/// Most pages of a list, of a hundred sandboxes each.
const PAGES: usize = 200;
/// Most bytes of one answer.
const ANSWER_BYTES: usize = 4 << 20;

/// An account at E2B: a key.
pub(in crate::drivers) struct E2b {
    settings: settings::E2b,
    key: String,
    http: reqwest::Client,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    #[serde(rename = "sandboxID")]
    sandbox_id: String,
    envd_access_token: Option<String>,
    domain: Option<String>,
}

#[derive(Deserialize)]
struct Found {
    #[serde(rename = "sandboxID")]
    sandbox_id: String,
    #[serde(default)]
    metadata: Option<BTreeMap<String, String>>,
}

impl E2b {
    pub(in crate::drivers) fn new(settings: settings::E2b, key: String) -> Self {
        Self { settings, key, http: net::client() }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.settings.api_url)).header("X-API-Key", &self.key)
    }

    async fn create(&self, spec: &Spec) -> Result<Arc<dyn Machine>, Fault> {
        let body = json!({
            "templateID": spec.image.as_ref().map_or(BASE, |image| image.as_str()),
            "timeout": spec.lifetime.as_secs().min(LONGEST_LIFE_S),
            "metadata": spec.tags.to_map(),
            // Nobody without its token reaches its programs and files.
            "secure": true,
            "allow_internet_access": spec.network == Network::All,
            "autoPause": false,
        });
        let response = send(self.request(Method::POST, "/sandboxes").json(&body), Part::Api, CREATE_LIMIT).await?;
        let created: Created = read(response).await?;
        let Created { sandbox_id, envd_access_token, domain } = created;
        // It is a part of host names and paths.
        if !is_id(&sandbox_id) {
            return Err(Fault::Unavailable("E2B named a sandbox by no id".to_owned()));
        }
        let url = match (&self.settings.sandbox_url, domain) {
            (Some(url), _) => url.clone(),
            (None, domain) => format!("https://{}-{sandbox_id}.{}", Sandbox::PORT, domain.as_deref().unwrap_or("e2b.app")),
        };
        // A proxy sees nothing of what is encrypted, and all of the rest.
        let http = if url.starts_with("https:") { self.http.clone() } else { net::direct_client() };
        Ok(Arc::new(Sandbox::new(http, sandbox_id, url, envd_access_token)))
    }

    async fn list(&self, deployment: &str) -> Result<Vec<Listed>, Fault> {
        let of_deployment: String = form_urlencoded::Serializer::new(String::new()).append_pair(Tags::DEPLOYMENT, deployment).finish();
        let (mut all, mut next) = (vec![], None::<String>);
        for _ in 0..PAGES {
            let mut query = vec![("metadata", of_deployment.clone()), ("state", "running,paused".to_owned()), ("limit", "100".to_owned())];
            query.extend(next.take().map(|token| ("nextToken", token)));
            let response = send(self.request(Method::GET, "/v2/sandboxes").query(&query), Part::Api, LIMIT).await?;
            next = response.headers().get("x-next-token").and_then(|value| value.to_str().ok()).map(str::to_owned);
            let found: Vec<Found> = read(response).await?;
            let ours = found.into_iter().filter(|found| is_id(&found.sandbox_id)).filter_map(|found| {
                // The filter is E2B's: what it did not apply to is not ours to kill.
                let tags = Tags::read(&found.metadata?).filter(|tags| tags.deployment == deployment)?;
                Some(Listed { id: found.sandbox_id, tags })
            });
            all.extend(ours);
            if next.as_ref().is_none_or(String::is_empty) {
                return Ok(all);
            }
        }
        Err(Fault::Unavailable(format!("E2B lists more than {PAGES} pages of sandboxes")))
    }

    async fn kill(&self, id: &str) -> Result<(), Fault> {
        match send(self.request(Method::DELETE, &format!("/sandboxes/{id}")), Part::OneSandbox, LIMIT).await {
            // It has ended already.
            Ok(_) | Err(Fault::Gone(_)) => Ok(()),
            Err(fault) => Err(fault),
        }
    }
}

/// An answer as JSON, within its limit.
async fn read<T: for<'a> Deserialize<'a>>(mut response: Response) -> Result<T, Fault> {
    let cut = |error: reqwest::Error| Fault::Unavailable(format!("the answer of E2B was cut: {}", chain(&error)));
    let mut body = vec![];
    while let Some(bytes) = response.chunk().await.map_err(cut)? {
        body.extend_from_slice(&bytes);
        if body.len() > ANSWER_BYTES {
            return Err(Fault::Unavailable("the answer of E2B is too large".to_owned()));
        }
    }
    serde_json::from_slice(&body).map_err(|error| Fault::Unavailable(format!("the answer of E2B cannot be read: {error}")))
}

fn is_id(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

impl Account for E2b {
    fn enforces(&self, spec: &Spec) -> Result<Enforced, String> {
        if spec.network == Network::Proxy {
            return Err("E2B has no egress proxy; set `resources.network` to `none` or `all`".to_owned());
        }
        if spec.lifetime > Duration::from_secs(LONGEST_LIFE_S) {
            return Err(format!("a sandbox lives for {LONGEST_LIFE_S} s at most: a shorter `timeout_s` is needed"));
        }
        Ok(Enforced {
            level: Some(Level::L4),
            driver: spec.kind.0.as_str().to_owned(),
            limits: spec.limits,
            network: (spec.network == Network::None).then_some(Network::None),
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
        self.kill(id).boxed()
    }
}
