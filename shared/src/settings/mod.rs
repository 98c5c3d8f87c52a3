//! Settings: read from the environment once, here; all that is wrong is reported at once, by name.
//! Nothing below `main` reads the environment.
#![expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]

mod api;
mod aws;
mod edge_config;
mod forges;
mod limits;
mod models;
mod queue;
mod secrets;
mod supabase;
mod telemetry;
mod worker;

use std::fmt::Display;
use std::str::FromStr;

use crate::crypto::Keyring;

pub use api::{Api, api};
pub use aws::{Aws, AwsKeys};
pub use edge_config::{EdgeConfig, EdgeConfigWriter};
pub use forges::Forges;
pub use limits::{Limits, Upstash, limits_of_dev};
pub use models::Models;
pub use queue::Queue;
pub use secrets::Secrets;
pub use supabase::Supabase;
pub use telemetry::{Telemetry, telemetry};
pub use worker::{Worker, admin_port, worker};

/// What is wrong with the environment.
#[derive(Debug, thiserror::Error)]
#[error("settings are missing or invalid:\n{}", .0.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n"))]
pub struct Invalid(Vec<String>);

/// The PATH that child processes get: where tools are is no secret.
pub fn path() -> String {
    std::env::var("PATH").unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin".to_owned())
}

/// `NOFX_DB_URL` for `nofx dev`: a Postgres that exists, with Supabase's roles, instead of an embedded one.
pub fn existing_database() -> Option<String> {
    Reader::default().text("NOFX_DB_URL")
}

/// `GITHUB_WEBHOOK_SECRET` for `nofx dev`, which makes its other settings itself.
pub fn github_webhook_secrets() -> Vec<String> {
    Reader::default().list("GITHUB_WEBHOOK_SECRET")
}

/// A secret of the environment: `NOFX_SECRET_<NAME>`.
pub(crate) fn secret(name: &str) -> Option<String> {
    std::env::var(format!("NOFX_SECRET_{name}")).ok()
}

#[derive(Default)]
struct Reader {
    problems: Vec<String>,
}

impl Reader {
    fn text(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }

    /// Values separated by commas.
    fn list(&self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned).collect()
    }

    fn required(&mut self, name: &str) -> String {
        self.text(name).unwrap_or_else(|| {
            self.problems.push(format!("{name} is not set"));
            String::new()
        })
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, name: &str, default: T) -> T {
        match self.text(name).map(|value| value.parse()) {
            None => default,
            Some(Ok(value)) => value,
            Some(Err(error)) => {
                self.problems.push(format!("{name}: {error}"));
                default
            }
        }
    }

    /// An absolute http or https URL, without the slash at its end.
    fn url(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        let is_valid = reqwest::Url::parse(&text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if !is_valid {
            self.problems.push(format!("{name}: `{text}` is not an http or https URL"));
        }
        Some(text.trim_end_matches('/').to_owned())
    }

    fn required_url(&mut self, name: &str) -> String {
        self.url(name).unwrap_or_else(|| self.required(name))
    }

    /// `NOFX_REGION`; default: the region of Vercel or AWS. Where this process runs, for events.
    fn region(&self) -> Option<String> {
        ["NOFX_REGION", "VERCEL_REGION", "AWS_REGION"].into_iter().find_map(|name| self.text(name))
    }

    /// `NOFX_ENCRYPTION_KEYS`
    fn keyring(&mut self) -> Option<Keyring> {
        match self.text("NOFX_ENCRYPTION_KEYS")?.parse() {
            Ok(keys) => Some(keys),
            Err(why) => {
                self.problems.push(format!("NOFX_ENCRYPTION_KEYS: {why}"));
                None
            }
        }
    }

    fn finish<T>(self, settings: T) -> Result<T, Invalid> {
        if self.problems.is_empty() { Ok(settings) } else { Err(Invalid(self.problems)) }
    }
}
