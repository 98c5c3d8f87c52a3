//! `nofx smoke`: read-only checks of a deployment. Exit code 0: all passed; 1: one failed, or could not be made.

use std::time::Duration;

use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::exit::{Error, Exit, Outcome};
use crate::output;
use crate::target::{self, DevFile, Target};

#[derive(clap::Args)]
pub(crate) struct Smoke {
    /// API base URL. Defaults to the local stack.
    #[arg(long)]
    pub url: Option<String>,
    /// URL of the Supabase project, to check that its public key reads nothing.
    #[arg(long, env = "SUPABASE_URL", hide_env_values = true)]
    pub supabase_url: Option<String>,
    #[arg(long, env = "SUPABASE_ANON_KEY", hide_env_values = true)]
    pub supabase_anon_key: Option<String>,
}

struct Check {
    what: &'static str,
    passed: bool,
    detail: String,
}

/// The result of a check: what was found, or what is wrong and what to do.
type Seen = Result<String, String>;

pub(crate) async fn run(target: &Target, options: Smoke) -> Outcome {
    // Without a URL: the stack of this folder, with the keys in its file.
    let (options, token) = match options.url.clone().or_else(|| target.api_url.clone()) {
        Some(url) => (Smoke { url: Some(url), ..options }, target.token.clone()),
        None => {
            let DevFile { api_url, supabase_url, anon_key, mut tokens, .. } = target::local(target)?;
            let local = Smoke { url: Some(api_url), supabase_url: Some(supabase_url), supabase_anon_key: Some(anon_key) };
            (local, target.token.clone().or_else(|| tokens.remove("viewer")))
        }
    };
    let url = options.url.unwrap_or_default().trim_end_matches('/').to_owned();
    let deployment = Deployment { client: nofx_shared::net::client(), url };
    let token = token.as_deref();
    let ready = deployment.ready().await;
    let checks = [
        check("health", deployment.health().await),
        check("no access without a key", deployment.refuses().await),
        check(
            "row-level security",
            deployment.row_level_security(options.supabase_url.as_deref(), options.supabase_anon_key.as_deref()).await,
        ),
        check("event stream", deployment.stream(token).await),
        check("schema", ready.as_ref().map_err(Clone::clone).and_then(schema)),
        check("queue", ready.as_ref().map_err(Clone::clone).and_then(queue)),
    ];
    if target.json {
        let rows: Vec<Value> = checks.iter().map(|one| json!({"check": one.what, "ok": one.passed, "detail": one.detail})).collect();
        output::document(&serde_json::to_string_pretty(&rows).map_err(Error::new)?);
    } else {
        for Check { what, passed, detail } in &checks {
            output::line(format_args!("{:<4} {what:<24} {detail}", if *passed { "ok" } else { "FAIL" }));
        }
    }
    Ok(if checks.iter().all(|one| one.passed) { Exit::Succeeded } else { Exit::Failed })
}

fn check(what: &'static str, seen: Seen) -> Check {
    let passed = seen.is_ok();
    Check { what, passed, detail: seen.unwrap_or_else(|error| error) }
}

fn schema(ready: &Value) -> Seen {
    let (applied, expected) =
        (ready["schema"]["applied"].as_str().unwrap_or("none"), ready["schema"]["expected"].as_str().unwrap_or("none"));
    if applied == expected {
        Ok(applied.to_owned())
    } else {
        Err(format!("{applied} is applied, {expected} is expected: run `supabase db push`"))
    }
}

fn queue(ready: &Value) -> Seen {
    match ready["queue"]["error"].as_str() {
        None => Ok(ready["queue"]["driver"].as_str().unwrap_or_default().to_owned()),
        Some(error) => Err(format!("{error}: check QUEUE_DRIVER and its settings")),
    }
}

struct Deployment {
    client: reqwest::Client,
    url: String,
}

impl Deployment {
    async fn health(&self) -> Seen {
        let (status, body) = ask(self.client.get(format!("{}/api/health", self.url))).await?;
        if status == StatusCode::OK {
            Ok(format!("version {}", body["version"].as_str().unwrap_or("unknown")))
        } else {
            Err(format!("/api/health returned {status}"))
        }
    }

    async fn ready(&self) -> Result<Value, String> {
        let (status, body) = ask(self.client.get(format!("{}/api/ready", self.url))).await?;
        if status == StatusCode::OK {
            Ok(body)
        } else {
            Err(format!("/api/ready returned {status}: {}", body["detail"].as_str().unwrap_or_default()))
        }
    }

    async fn refuses(&self) -> Seen {
        let (status, body) = ask(self.client.get(format!("{}/api/runs", self.url))).await?;
        let is_problem = body["type"].as_str().is_some_and(|kind| kind.ends_with("/unauthorized"));
        if status == StatusCode::UNAUTHORIZED && is_problem {
            Ok("401".to_owned())
        } else {
            Err(format!("GET /api/runs without a key returned {status}"))
        }
    }

    /// The project's public key must see no row of ours.
    async fn row_level_security(&self, supabase: Option<&str>, key: Option<&str>) -> Seen {
        let (Some(supabase), Some(key)) = (supabase, key) else {
            return Err("not checked: pass --supabase-url and --supabase-anon-key".to_owned());
        };
        let request = self.client.get(format!("{}/rest/v1/run?select=id&limit=1", supabase.trim_end_matches('/')));
        let (status, body) = ask(request.header("apikey", key).bearer_auth(key).header("accept-profile", "nofx")).await?;
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if body["code"] == "42501" => Ok("the anon key is refused".to_owned()),
            _ => Err(format!("the anon key reads `run`: {status} {body}")),
        }
    }

    async fn stream(&self, token: Option<&str>) -> Seen {
        let token = token.ok_or("not checked: pass --token")?;
        let request = self.client.get(format!("{}/api/events/stream", self.url)).bearer_auth(token);
        let opening = async {
            let mut answer = request.send().await.map_err(no_response)?;
            if answer.status() != StatusCode::OK {
                return Err(format!("/api/events/stream returned {}", answer.status()));
            }
            match answer.chunk().await.map_err(no_response)? {
                Some(_) => Ok("open".to_owned()),
                None => Err("the stream ended immediately".to_owned()),
            }
        };
        tokio::time::timeout(Duration::from_secs(10), opening).await.map_err(|_| "no data within 10 s".to_owned())?
    }
}

async fn ask(request: RequestBuilder) -> Result<(StatusCode, Value), String> {
    let answer = request.timeout(Duration::from_secs(15)).send().await.map_err(no_response)?;
    let status = answer.status();
    Ok((status, answer.json().await.unwrap_or_default()))
}

fn no_response(error: reqwest::Error) -> String {
    use std::error::Error;
    let error = error.without_url();
    let mut cause: &dyn Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    format!("no response: {cause}")
}
