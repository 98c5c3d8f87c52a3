//! The token of a step, and how git sends it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::step::StepContext;

/// The step's token: the secret with this name; default: its first secret.
pub(super) fn token<'a>(step: &'a StepContext, secret: Option<&str>) -> Option<&'a str> {
    let name = secret.or_else(|| step.step.spec.secrets.first().map(String::as_str))?;
    step.step.spec.secrets.iter().any(|one| one == name).then(|| step.env.get(name).map(String::as_str)).flatten()
}

/// Settings that make git send a token to this repository and to no other: it is in no argument, no URL and no file. A redirection is not
/// followed (`Sources::route`), since it would lead the token elsewhere.
pub(super) fn credentials(url: &str, token: Option<&str>) -> Option<(String, String)> {
    let token = token.filter(|_| url.starts_with("https://"))?;
    let header = format!("Authorization: Basic {}", STANDARD.encode(format!("x-access-token:{token}")));
    Some((format!("http.{url}.extraHeader"), header))
}
