//! The one file that reads the environment. Knows how a kind of value is read, and those that both API and worker have; which settings there
//! are is in the areas' files.
#![expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Display;
use std::str::FromStr;
use std::sync::OnceLock;

use crate::crypto::Keyring;

/// What is wrong with the environment.
#[derive(Debug, thiserror::Error)]
#[error("settings are missing or invalid:\n{}", .0.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n"))]
pub struct Invalid(Vec<String>);

/// Reads variables, and collects what is wrong with them.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) problems: Vec<String>,
}

impl Reader {
    pub(super) fn text(&self, name: &str) -> Option<String> {
        variable(name).filter(|value| !value.is_empty())
    }

    /// Values separated by commas.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned).collect()
    }

    pub(super) fn required(&mut self, name: &str) -> String {
        self.text(name).unwrap_or_else(|| {
            self.problems.push(format!("{name} is not set"));
            String::new()
        })
    }

    pub(super) fn parsed<T: FromStr<Err: Display>>(&mut self, name: &str, default: T) -> T {
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
    pub(super) fn url(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        let is_valid = reqwest::Url::parse(&text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if !is_valid {
            self.problems.push(format!("{name}: `{text}` is not an http or https URL"));
        }
        Some(text.trim_end_matches('/').to_owned())
    }

    pub(super) fn required_url(&mut self, name: &str) -> String {
        self.url(name).unwrap_or_else(|| self.required(name))
    }

    /// `NOFX_REGION`; default: the region of Vercel or AWS. Where this process runs, for events.
    pub(super) fn region(&self) -> Option<String> {
        ["NOFX_REGION", "VERCEL_REGION", "AWS_REGION"].into_iter().find_map(|name| self.text(name))
    }

    /// `NOFX_ENCRYPTION_KEYS`, which must be set.
    pub(super) fn required_keyring(&mut self) -> Keyring {
        self.required("NOFX_ENCRYPTION_KEYS");
        // Never used: a problem was reported, so no settings are returned.
        self.keyring().unwrap_or_else(Keyring::placeholder)
    }

    /// `NOFX_ENCRYPTION_KEYS`
    pub(super) fn keyring(&mut self) -> Option<Keyring> {
        match self.text("NOFX_ENCRYPTION_KEYS")?.parse() {
            Ok(keys) => Some(keys),
            Err(why) => {
                self.problems.push(format!("NOFX_ENCRYPTION_KEYS: {why}"));
                None
            }
        }
    }

    /// `NOFX_INTERNAL_API_KEY`, or `INTERNAL_API_KEY` where that is not set.
    pub(super) fn internal_api_keys(&self) -> Vec<String> {
        let names = ["NOFX_INTERNAL_API_KEY", "INTERNAL_API_KEY"];
        names.into_iter().map(|name| self.list(name)).find(|keys| !keys.is_empty()).unwrap_or_default()
    }

    pub(super) fn finish<T>(self, settings: T) -> Result<T, Invalid> {
        if self.problems.is_empty() { Ok(settings) } else { Err(Invalid(self.problems)) }
    }
}

/// The PATH that child processes get: where tools are is no secret.
pub fn path() -> String {
    variable("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".to_owned())
}

/// `SSL_CERT_FILE`, which libraries read, too: the root certificates that this machine trusts, where they are elsewhere than usual. By the
/// file's own path, if it is there.
pub fn certificates() -> Option<String> {
    let file = variable("SSL_CERT_FILE").filter(|file| !file.is_empty())?;
    std::fs::canonicalize(file).ok()?.into_os_string().into_string().ok()
}

/// All variables that are text.
pub(super) fn variables() -> BTreeMap<String, String> {
    let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    HANDED_OVER.get().cloned().unwrap_or_else(|| std::env::vars_os().filter_map(text).collect())
}

/// What is read instead of the environment.
static HANDED_OVER: OnceLock<BTreeMap<String, String>> = OnceLock::new();

/// From now on these variables are read instead of those of the environment, where other processes of the same user could see them. The
/// first call counts.
pub fn hand_over(variables: BTreeMap<String, String>) {
    drop(HANDED_OVER.set(variables));
}

/// From now on these variables are read, too: addresses and keys of what this process has started. Nothing must have been handed over.
pub fn add(more: impl IntoIterator<Item = (&'static str, String)>) {
    let mut all = variables();
    all.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    hand_over(all);
}

fn variable(name: &str) -> Option<String> {
    match HANDED_OVER.get() {
        Some(variables) => variables.get(name).cloned(),
        None => std::env::var(name).ok(),
    }
}

/// Whether a variable may stand in the environment of a process that hides its own: what libraries and the command line read there, and is
/// no secret.
pub fn is_public(name: &str) -> bool {
    const NAMES: [&str; 15] = [
        "aws_default_region",
        "aws_region",
        "home",
        "lang",
        "ld_library_path",
        "no_color",
        "non_interactive_mode",
        "path",
        "rust_backtrace",
        "rust_log",
        "ssl_cert_dir",
        "ssl_cert_file",
        "term",
        "tmpdir",
        "tz",
    ];
    let name = name.to_ascii_lowercase();
    // The address of a task's credentials at ECS; the credentials are not in it.
    let is_address = name.starts_with("aws_container_credentials_") && name.ends_with("_uri");
    NAMES.contains(&name.as_str()) || is_address || name.ends_with("_proxy")
}

/// The keys of model providers, which their own programs read under these names, too.
const PROVIDER_KEYS: [&str; 3] = ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"];

/// A secret of the environment: `NOFX_SECRET_<NAME>`; a key of a model provider also as it stands. No other variable is a secret that a step
/// may name: the worker has keys of its own.
pub(crate) fn secret(name: &str) -> Option<String> {
    secret_of(name, variable)
}

fn secret_of(name: &str, read: impl Fn(&str) -> Option<String>) -> Option<String> {
    let bare = || PROVIDER_KEYS.contains(&name).then(|| read(name)).flatten();
    read(&format!("NOFX_SECRET_{name}")).filter(|value| !value.is_empty()).or_else(bare).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{is_public, secret_of};

    #[test]
    fn no_secret_is_public() {
        assert!(["PATH", "https_proxy", "AWS_REGION", "RUST_LOG"].into_iter().all(is_public));
        let secret = "SUPABASE_SERVICE_ROLE_KEY NOFX_SIGNING_KEY NOFX_SECRET_X AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN NOFX_DB_URL \
            OTEL_EXPORTER_OTLP_HEADERS OPENAI_API_KEY AWS_CONTAINER_AUTHORIZATION_TOKEN DATABASE_URL";
        assert!(!secret.split_whitespace().any(is_public));
    }

    #[test]
    fn a_prefixed_secret_wins_and_only_keys_of_providers_need_no_prefix() {
        let variables = "NOFX_SECRET_OPENAI_API_KEY=ours OPENAI_API_KEY=theirs NOFX_SECRET_GEMINI_API_KEY= GEMINI_API_KEY=gemini \
            ANTHROPIC_API_KEY= SUPABASE_SERVICE_ROLE_KEY=everything";
        let read = |name: &str| variables.split_whitespace().find_map(|one| Some(one.strip_prefix(name)?.strip_prefix('=')?.to_owned()));
        assert_eq!(secret_of("OPENAI_API_KEY", read).as_deref(), Some("ours"));
        assert_eq!(secret_of("GEMINI_API_KEY", read).as_deref(), Some("gemini"), "an empty variable is not set");
        assert_eq!(secret_of("ANTHROPIC_API_KEY", read), None);
        assert_eq!(secret_of("SUPABASE_SERVICE_ROLE_KEY", read), None);
    }
}
