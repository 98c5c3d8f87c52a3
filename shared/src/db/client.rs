//! The client: the identity, the origin and the deadline of every call. It knows no table and no function.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use reqwest::{RequestBuilder, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::refused;
use super::{Error, Query, RequestOrigin};
use crate::crypto::Keyring;
use crate::net;

/// Longer than the database's own limit of 8 s, so that its error arrives.
const DEADLINE: Duration = Duration::from_secs(10);
/// The schema of all tables and functions (PostgREST's profile).
const PROFILE: &str = "nofx";

/// A client of the database with the identity of its token.
#[derive(Clone)]
pub struct Db {
    /// Created with the first call: health checks make none.
    client: Arc<LazyLock<reqwest::Client>>,
    url: Arc<str>,
    api_key: Arc<str>,
    token: String,
    /// Where this process runs, for events.
    region: Option<Arc<str>>,
    origin: RequestOrigin,
    keys: Option<Arc<Keyring>>,
}

impl Db {
    /// `rest_url`: PostgREST's base; `api_key`: the project key that Supabase's gateway requires; `token`: the identity.
    pub fn new(rest_url: &str, api_key: &str, token: impl Into<String>) -> Self {
        Self {
            client: Arc::new(LazyLock::new(net::client)),
            url: rest_url.into(),
            api_key: api_key.into(),
            token: token.into(),
            region: None,
            origin: RequestOrigin::default(),
            keys: None,
        }
    }

    /// The same client in a process that runs in this region.
    pub fn in_region(self, region: Option<&str>) -> Self {
        Self { region: region.map(Arc::from), ..self }
    }

    /// The same client, each call of which brings a key that the database seals payloads of the audit log with.
    pub fn sealing_with(self, keys: &Keyring) -> Self {
        Self { keys: Some(Arc::new(keys.clone())), ..self }
    }

    /// The same client for calls on behalf of a request.
    pub fn on_behalf_of(self, origin: &RequestOrigin) -> Self {
        Self { origin: origin.clone(), ..self }
    }

    /// The same connection pool with another identity.
    pub fn acting_as(&self, token: impl Into<String>) -> Self {
        Self { token: token.into(), ..self.clone() }
    }

    /// Calls a function of the schema.
    pub async fn call<A: Serialize + Sync, R: DeserializeOwned>(&self, function: &'static str, arguments: &A) -> Result<R, Error> {
        let body = serde_json::to_vec(arguments).map_err(|source| Error::Shape { what: function, source })?;
        parse(function, &self.call_text(function, body).await?)
    }

    /// Reads rows; row-level security decides which.
    pub async fn read<R: DeserializeOwned>(&self, query: &Query) -> Result<R, Error> {
        parse(query.table, &self.read_text(query).await?)
    }

    // The rest knows no response types, so that it is compiled once and not for each of them.

    async fn call_text(&self, function: &'static str, body: Vec<u8>) -> Result<Bytes, Error> {
        let request = self.client.post(format!("{}/rpc/{function}", self.url)).header("content-profile", PROFILE);
        let request = match &self.keys {
            Some(keys) => request.header("x-nofx-audit-key", keys.call_key()),
            None => request,
        };
        self.send(request.header(header::CONTENT_TYPE, "application/json").body(body)).await
    }

    async fn read_text(&self, query: &Query) -> Result<Bytes, Error> {
        let request = self.client.get(format!("{}/{}", self.url, query.table)).header("accept-profile", PROFILE);
        self.send(request.query(&query.filters)).await
    }

    async fn send(&self, request: RequestBuilder) -> Result<Bytes, Error> {
        let mut request = request.header("apikey", &*self.api_key).bearer_auth(&self.token).timeout(DEADLINE);
        if let Some(id) = &self.origin.request_id {
            request = request.header("x-request-id", id);
        }
        if let Some(address) = self.origin.address {
            request = request.header("x-nofx-address", address.to_string());
        }
        if let Some(actor) = &self.origin.actor {
            request = request.header("x-nofx-actor", actor);
        }
        if let Some(region) = &self.region {
            request = request.header("x-nofx-region", &**region);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await?;
        if (200..300).contains(&status) { Ok(bytes) } else { Err(refused(status, &bytes)) }
    }
}

fn parse<R: DeserializeOwned>(what: &'static str, text: &[u8]) -> Result<R, Error> {
    // A function that returns void has an empty response.
    let text = if text.is_empty() { b"null" } else { text };
    serde_json::from_slice(text).map_err(|source| Error::Shape { what, source })
}
