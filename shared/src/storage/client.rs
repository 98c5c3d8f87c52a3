//! The client of Storage and its calls, but for uploads: see `upload`.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use serde::Deserialize;

use super::Error;
use crate::net;

/// The bucket of artifacts.
pub const ARTIFACTS: &str = "artifacts";

/// A client that acts as the service role.
#[derive(Clone)]
pub struct Storage {
    /// Created with the first call: health checks make none.
    pub(super) client: Arc<LazyLock<reqwest::Client>>,
    pub(super) base: String,
    key: String,
}

/// What Storage answers, as far as it is read.
#[derive(Deserialize, Default)]
pub(super) struct Body {
    #[serde(default)]
    pub(super) code: Option<String>,
    #[serde(rename = "signedURL")]
    signed_url: Option<String>,
}

impl Storage {
    pub fn new(supabase_url: &str, service_role_key: &str) -> Self {
        Self { client: Arc::new(LazyLock::new(net::client)), base: format!("{supabase_url}/storage/v1"), key: service_role_key.to_owned() }
    }

    /// Creates the bucket unless it exists.
    pub async fn ensure_bucket(&self) -> Result<(), Error> {
        let body = serde_json::json!({"id": ARTIFACTS, "name": ARTIFACTS, "public": false});
        match self.send(ARTIFACTS, self.client.post(format!("{}/bucket", self.base)).json(&body)).await {
            Err(Error::Refused { code, .. }) if code == "BucketAlreadyExists" => Ok(()),
            other => other.map(drop),
        }
    }

    /// Whether there is an object at a path.
    pub async fn has(&self, path: &str) -> Result<bool, Error> {
        let request = self.client.get(format!("{}/object/info/{ARTIFACTS}/{path}", self.base));
        match self.send(path, request).await {
            Ok(_) => Ok(true),
            Err(Error::Refused { code, .. }) if code == "NoSuchKey" => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// An object's bytes, as they come.
    pub async fn download(&self, path: &str) -> Result<reqwest::Response, Error> {
        let request = self.client.get(format!("{}/object/authenticated/{ARTIFACTS}/{path}", self.base));
        let request = request.header("apikey", &self.key).bearer_auth(&self.key);
        let response = request.send().await.map_err(Error::Unavailable)?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body: Body = serde_json::from_slice(&response.bytes().await.map_err(Error::Unavailable)?).unwrap_or_default();
        Err(Error::Refused { path: path.to_owned(), code: body.code.unwrap_or_else(|| status.as_u16().to_string()) })
    }

    /// Removes objects; those that are not there are no error.
    pub async fn remove(&self, paths: &[String]) -> Result<(), Error> {
        let request = self.client.delete(format!("{}/object/{ARTIFACTS}", self.base)).json(&serde_json::json!({"prefixes": paths}));
        self.send(ARTIFACTS, request).await.map(drop)
    }

    /// A URL that reads one object, without any other right, for a while.
    pub async fn sign(&self, path: &str, valid: Duration) -> Result<String, Error> {
        let request = self
            .client
            .post(format!("{}/object/sign/{ARTIFACTS}/{path}", self.base))
            .json(&serde_json::json!({"expiresIn": valid.as_secs()}));
        let url = self.send(path, request).await?.signed_url;
        url.map(|url| format!("{}{url}", self.base))
            .ok_or_else(|| Error::Refused { path: path.to_owned(), code: "no signedURL".to_owned() })
    }

    pub(super) async fn send(&self, path: &str, request: reqwest::RequestBuilder) -> Result<Body, Error> {
        let response = self.ask(request).await?;
        let status = response.status();
        let body: Body = serde_json::from_slice(&response.bytes().await.map_err(Error::Unavailable)?).unwrap_or_default();
        if status.is_success() {
            return Ok(body);
        }
        Err(Error::Refused { path: path.to_owned(), code: body.code.unwrap_or_else(|| status.as_u16().to_string()) })
    }

    /// As the service role, with a deadline.
    pub(super) async fn ask(&self, request: reqwest::RequestBuilder) -> Result<reqwest::Response, Error> {
        let request = request.header("apikey", &self.key).bearer_auth(&self.key).timeout(Duration::from_secs(60));
        request.send().await.map_err(Error::Unavailable)
    }
}
