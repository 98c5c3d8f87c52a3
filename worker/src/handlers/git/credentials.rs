//! The token of a step, and how git sends it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::step::StepContext;

/// The step's token: the secret with this name; default: its first secret.
pub(super) fn token<'a>(step: &'a StepContext, secret: Option<&str>) -> Option<&'a str> {
    let name = secret.or_else(|| step.step.spec.secrets.first().map(String::as_str))?;
    step.step.spec.secrets.iter().any(|one| one == name).then(|| step.env.get(name).map(String::as_str)).flatten()
}

/// Environment that makes git send a token: it is in no argument, no URL and no file.
pub(super) fn credentials(url: &str, token: Option<&str>) -> Vec<(String, String)> {
    let Some(token) = token.filter(|_| url.starts_with("https://")) else { return vec![] };
    let header = format!("Authorization: Basic {}", STANDARD.encode(format!("x-access-token:{token}")));
    [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "http.extraHeader"), ("GIT_CONFIG_VALUE_0", &header)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}
