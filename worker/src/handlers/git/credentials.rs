//! The token of a step, and how git sends it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::step::StepContext;

/// The step's token: the secret with this name; default: its first secret.
pub(super) fn token<'a>(step: &'a StepContext, secret: Option<&str>) -> Option<&'a str> {
    let name = secret.or_else(|| step.step.spec.secrets.first().map(String::as_str))?;
    step.step.spec.secrets.iter().any(|one| one == name).then(|| step.env.get(name).map(String::as_str)).flatten()
}

/// Environment that makes git send a token to this repository and to no other: it is in no argument, no URL and no file. A redirection is not
/// followed, since it would lead the token elsewhere.
pub(super) fn credentials(url: &str, token: Option<&str>) -> Vec<(String, String)> {
    let Some(token) = token.filter(|_| url.starts_with("https://")) else { return vec![] };
    let header = format!("Authorization: Basic {}", STANDARD.encode(format!("x-access-token:{token}")));
    let settings = [(format!("http.{url}.extraHeader"), header), ("http.followRedirects".to_owned(), "false".to_owned())];
    let mut variables = vec![("GIT_CONFIG_COUNT".to_owned(), settings.len().to_string())];
    for (n, (name, value)) in settings.into_iter().enumerate() {
        variables.extend([(format!("GIT_CONFIG_KEY_{n}"), name), (format!("GIT_CONFIG_VALUE_{n}"), value)]);
    }
    variables
}
