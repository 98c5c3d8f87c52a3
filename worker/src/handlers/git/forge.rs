//! Pull requests on GitHub (REST, 2022-11-28) and Bitbucket Cloud (2.0).

use std::time::Duration;

use nofx_shared::engine::Failure;
use nofx_shared::settings;
use reqwest::RequestBuilder;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Forge {
    Github,
    Bitbucket,
}

/// The pull request to open.
pub(super) struct NewPullRequest {
    /// owner/name
    pub repository: String,
    pub head: String,
    pub base: String,
    pub title: String,
    pub body: String,
    pub draft: bool,
}

pub(super) struct PullRequest {
    pub number: u64,
    pub url: String,
}

impl Forge {
    /// The forge that an address belongs to.
    pub(super) fn of(address: &str) -> Option<Self> {
        let host = address.split_once("://").map_or(address, |(_, rest)| rest);
        let host = host.rsplit_once('@').map_or(host, |(_, rest)| rest).split(['/', ':']).next()?;
        match host {
            "github.com" => Some(Self::Github),
            "bitbucket.org" => Some(Self::Bitbucket),
            _ => None,
        }
    }

    /// Opens a pull request, or finds the one that is open for the branch; the second value is true for a new one.
    pub(super) async fn open(self, forges: &settings::Forges, token: &str, new: &NewPullRequest) -> Result<(PullRequest, bool), Failure> {
        if let Some(found) = self.find(forges, token, new).await? {
            return Ok((found, false));
        }
        let client = nofx_shared::net::client();
        let request = match self {
            Self::Github => client.post(format!("{}/repos/{}/pulls", forges.github, new.repository)).json(&json!({
                "title": new.title, "head": new.head, "base": new.base, "body": new.body, "draft": new.draft,
            })),
            Self::Bitbucket => client.post(format!("{}/repositories/{}/pullrequests", forges.bitbucket, new.repository)).json(&json!({
                "title": new.title, "description": new.body, "draft": new.draft,
                "source": {"branch": {"name": new.head}}, "destination": {"branch": {"name": new.base}},
            })),
        };
        match self.send(request, token).await {
            Ok(body) => self.read(&body).map(|pull_request| (pull_request, true)),
            // It exists by now, maybe from the attempt before this one.
            Err((409 | 422, failure)) => match self.find(forges, token, new).await? {
                Some(found) => Ok((found, false)),
                None => Err(failure),
            },
            Err((_, failure)) => Err(failure),
        }
    }

    async fn find(self, forges: &settings::Forges, token: &str, new: &NewPullRequest) -> Result<Option<PullRequest>, Failure> {
        let client = nofx_shared::net::client();
        let request = match self {
            Self::Github => {
                let owner = new.repository.split('/').next().unwrap_or_default();
                let query = [("state", "open".to_owned()), ("head", format!("{owner}:{}", new.head)), ("base", new.base.clone())];
                client.get(format!("{}/repos/{}/pulls", forges.github, new.repository)).query(&query)
            }
            Self::Bitbucket => {
                let quote = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
                let of = format!(
                    "source.branch.name=\"{}\" AND destination.branch.name=\"{}\" AND state=\"OPEN\"",
                    quote(&new.head),
                    quote(&new.base)
                );
                client.get(format!("{}/repositories/{}/pullrequests", forges.bitbucket, new.repository)).query(&[("q", of)])
            }
        };
        let body = self.send(request, token).await.map_err(|(_, failure)| failure)?;
        let list = match self {
            Self::Github => body.as_array(),
            Self::Bitbucket => body["values"].as_array(),
        };
        list.and_then(|list| list.first()).map(|one| self.read(one)).transpose()
    }

    fn read(self, body: &Value) -> Result<PullRequest, Failure> {
        let (number, url) = match self {
            Self::Github => (&body["number"], &body["html_url"]),
            Self::Bitbucket => (&body["id"], &body["links"]["html"]["href"]),
        };
        let pull_request = number.as_u64().zip(url.as_str()).map(|(number, url)| PullRequest { number, url: url.to_owned() });
        pull_request.ok_or_else(|| Failure::transient("the forge did not return a pull request"))
    }

    /// The response's body, or the status and the failure.
    async fn send(self, request: RequestBuilder, token: &str) -> Result<Value, (u16, Failure)> {
        let request = request.bearer_auth(token).header("user-agent", "nofx").timeout(Duration::from_secs(30));
        let request = match self {
            Self::Github => request.header("accept", "application/vnd.github+json").header("x-github-api-version", "2022-11-28"),
            Self::Bitbucket => request.header("accept", "application/json"),
        };
        let no_response = |error: reqwest::Error| (0, Failure::transient(format!("no response from the forge: {}", error.without_url())));
        let response = request.send().await.map_err(no_response)?;
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        // GitHub returns 403 too when the limit is reached, with the time of the next request.
        let wait = nofx_shared::net::retry_after(response.headers());
        let is_limit = status == 429 || status == 403 && (wait.is_some() || header("x-ratelimit-remaining") == Some("0"));
        let body: Value = response.json().await.unwrap_or_default();
        if (200..300).contains(&status) {
            return Ok(body);
        }
        let text = body["message"].as_str().or_else(|| body["error"]["message"].as_str()).unwrap_or_default();
        let details: Vec<&str> = body["errors"].as_array().into_iter().flatten().filter_map(|one| one["message"].as_str()).collect();
        let message = format!("the forge returned {status}: {text} {}", details.join("; "));
        let mut failure = if is_limit || status >= 500 { Failure::transient(message.trim()) } else { Failure::permanent(message.trim()) };
        failure.wait_ms = wait.filter(|_| is_limit).and_then(|wait| u64::try_from(wait.as_millis()).ok());
        Err((status, failure))
    }
}
