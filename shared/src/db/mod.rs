//! The way to the database: PostgREST, with the caller's own identity, a deadline on every call, and refusals as problems.
//! The only user of the `postgrest` crate.

mod error;

use std::time::Duration;

use postgrest::Postgrest;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use error::Error;

/// Longer than the database's own limit of 8 s, so that its answer is seen.
const DEADLINE: Duration = Duration::from_secs(10);

/// A client of one schema, acting for whoever the token names.
#[derive(Clone)]
pub struct Db {
    rest: Postgrest,
    token: String,
}

/// One page of rows.
pub struct Query {
    pub table: &'static str,
    /// PostgREST's query string: `select=…&order=…&run_id=eq.…`; values percent-encoded.
    pub filters: Vec<(String, String)>,
}

impl Db {
    /// `rest_url`: PostgREST's base; `api_key`: the project key that Supabase's gateway asks for; `token`: the identity.
    pub fn new(rest_url: &str, api_key: &str, token: impl Into<String>) -> Self {
        let rest = Postgrest::new(rest_url).schema("nofx").insert_header("apikey", api_key);
        Self { rest, token: token.into() }
    }

    /// The same connection pool, acting for somebody else.
    pub fn acting_as(&self, token: impl Into<String>) -> Self {
        Self { rest: self.rest.clone(), token: token.into() }
    }

    /// Calls a function of schema `nofx`.
    pub async fn call<A: Serialize + Sync, R: DeserializeOwned>(&self, function: &'static str, arguments: &A) -> Result<R, Error> {
        let body = serde_json::to_string(arguments).map_err(|source| Error::Shape { what: function, source })?;
        let request = self.rest.rpc(function, body).auth(&self.token).build().header("content-type", "application/json").timeout(DEADLINE);
        read(function, request.send().await?).await
    }

    /// Reads rows; row-level security decides which.
    pub async fn read<R: DeserializeOwned>(&self, query: &Query) -> Result<R, Error> {
        let request = self.rest.from(query.table).auth(&self.token).build().query(&query.filters).timeout(DEADLINE);
        read(query.table, request.send().await?).await
    }
}

async fn read<R: DeserializeOwned>(what: &'static str, response: reqwest_of_postgrest::Response) -> Result<R, Error> {
    let status = response.status().as_u16();
    let bytes = response.bytes().await?;
    if !(200..300).contains(&status) {
        return Err(error::refused(status, &bytes));
    }
    // A function that returns void answers with nothing at all.
    let text: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
    serde_json::from_slice(text).map_err(|source| Error::Shape { what, source })
}
