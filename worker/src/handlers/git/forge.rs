//! Where pull requests are: GitHub (REST, 2022-11-28) and Bitbucket Cloud (2.0).

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

/// What the pull request is to be.
pub(super) struct Wanted {
    /// owner/name
    pub repository: String,
    pub head: String,
    pub base: String,
    pub title: String,
    pub body: String,
    pub draft: bool,
}

pub(super) struct Opened {
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

    /// Opens a pull request, or finds the one that is open for the branch; whether it is new.
    pub(super) async fn open(self, forges: &settings::Forges, token: &str, wanted: &Wanted) -> Result<(Opened, bool), Failure> {
        if let Some(found) = self.find(forges, token, wanted).await? {
            return Ok((found, false));
        }
        let client = nofx_shared::net::client();
        let request = match self {
            Self::Github => client.post(format!("{}/repos/{}/pulls", forges.github, wanted.repository)).json(&json!({
                "title": wanted.title, "head": wanted.head, "base": wanted.base, "body": wanted.body, "draft": wanted.draft,
            })),
            Self::Bitbucket => client.post(format!("{}/repositories/{}/pullrequests", forges.bitbucket, wanted.repository)).json(&json!({
                "title": wanted.title, "description": wanted.body, "draft": wanted.draft,
                "source": {"branch": {"name": wanted.head}}, "destination": {"branch": {"name": wanted.base}},
            })),
        };
        match self.send(request, token).await {
            Ok(answer) => self.read(&answer).map(|opened| (opened, true)),
            // Somebody was faster, maybe the attempt before this one.
            Err((409 | 422, failure)) => match self.find(forges, token, wanted).await? {
                Some(found) => Ok((found, false)),
                None => Err(failure),
            },
            Err((_, failure)) => Err(failure),
        }
    }

    async fn find(self, forges: &settings::Forges, token: &str, wanted: &Wanted) -> Result<Option<Opened>, Failure> {
        let client = nofx_shared::net::client();
        let request = match self {
            Self::Github => {
                let owner = wanted.repository.split('/').next().unwrap_or_default();
                let query = [("state", "open".to_owned()), ("head", format!("{owner}:{}", wanted.head)), ("base", wanted.base.clone())];
                client.get(format!("{}/repos/{}/pulls", forges.github, wanted.repository)).query(&query)
            }
            Self::Bitbucket => {
                let quote = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
                let of = format!(
                    "source.branch.name=\"{}\" AND destination.branch.name=\"{}\" AND state=\"OPEN\"",
                    quote(&wanted.head),
                    quote(&wanted.base)
                );
                client.get(format!("{}/repositories/{}/pullrequests", forges.bitbucket, wanted.repository)).query(&[("q", of)])
            }
        };
        let answer = self.send(request, token).await.map_err(|(_, failure)| failure)?;
        let list = match self {
            Self::Github => answer.as_array(),
            Self::Bitbucket => answer["values"].as_array(),
        };
        list.and_then(|list| list.first()).map(|one| self.read(one)).transpose()
    }

    fn read(self, answer: &Value) -> Result<Opened, Failure> {
        let (number, url) = match self {
            Self::Github => (&answer["number"], &answer["html_url"]),
            Self::Bitbucket => (&answer["id"], &answer["links"]["html"]["href"]),
        };
        let opened = number.as_u64().zip(url.as_str()).map(|(number, url)| Opened { number, url: url.to_owned() });
        opened.ok_or_else(|| Failure::transient("the forge did not return a pull request"))
    }

    /// The answer, or the status and what to do about it.
    async fn send(self, request: RequestBuilder, token: &str) -> Result<Value, (u16, Failure)> {
        let request = request.bearer_auth(token).header("user-agent", "nofx").timeout(Duration::from_secs(30));
        let request = match self {
            Self::Github => request.header("accept", "application/vnd.github+json").header("x-github-api-version", "2022-11-28"),
            Self::Bitbucket => request.header("accept", "application/json"),
        };
        let silent = |error: reqwest::Error| (0, Failure::transient(format!("no response from the forge: {}", error.without_url())));
        let response = request.send().await.map_err(silent)?;
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        // GitHub says 403 too when the limit is reached, and then tells when to come back.
        let wait = header("retry-after").and_then(|text| text.parse::<u64>().ok());
        let is_limit = status == 429 || status == 403 && (wait.is_some() || header("x-ratelimit-remaining") == Some("0"));
        let body: Value = response.json().await.unwrap_or_default();
        if (200..300).contains(&status) {
            return Ok(body);
        }
        let said = body["message"].as_str().or_else(|| body["error"]["message"].as_str()).unwrap_or_default();
        let details: Vec<&str> = body["errors"].as_array().into_iter().flatten().filter_map(|one| one["message"].as_str()).collect();
        let message = format!("the forge returned {status}: {said} {}", details.join("; "));
        let mut failure = if is_limit || status >= 500 { Failure::transient(message.trim()) } else { Failure::permanent(message.trim()) };
        failure.wait_ms = wait.filter(|_| is_limit).map(|seconds| seconds.min(3600) * 1000);
        Err((status, failure))
    }
}
