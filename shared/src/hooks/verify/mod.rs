//! Verifies the sender of a webhook, over the bytes as they came: one function, with a file for each kind of sender.

mod body;
mod github;
mod provider;
mod signature;
mod slack;
mod standard;
mod supabase_database;
#[cfg(test)]
mod tests;
mod vercel;
mod verified;

use body::digest;
pub use provider::WebhookProvider;
pub use verified::{Refused, Verified};

/// Verifies a webhook. `header` finds a header by its name in lower case; `now` is in seconds since 1970; any of the secrets may match.
pub fn verify<'a>(
    provider: WebhookProvider,
    header: impl Fn(&str) -> Option<&'a str>,
    body: &[u8],
    now: i64,
    secrets: &[String],
) -> Result<Verified, Refused> {
    match provider {
        WebhookProvider::Github => github::verify(&header, body, secrets),
        WebhookProvider::Slack => slack::verify(&header, body, now, secrets),
        WebhookProvider::Standard => standard::verify(&header, body, now, secrets),
        // A retry has a new id and the same content.
        WebhookProvider::SupabaseAuth => {
            standard::verify(&header, body, now, secrets).map(|verified| Verified { id: digest(&[body]), ..verified })
        }
        WebhookProvider::SupabaseDatabase => supabase_database::verify(&header, body, secrets),
        WebhookProvider::Vercel => vercel::verify(&header, body, secrets),
    }
}
