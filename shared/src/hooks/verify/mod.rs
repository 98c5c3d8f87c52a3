//! Verifies the sender of a webhook, over the bytes as they came: one function, with a file for each kind of sender.

mod github;
mod slack;
mod standard;
mod supabase_database;
mod vercel;

use serde::{Deserialize, Serialize};

use crate::crypto::sha256;

/// The sender, which decides how webhooks are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookProvider {
    /// `X-Hub-Signature-256`.
    Github,
    /// `X-Slack-Signature`, with its time.
    Slack,
    /// Standard Webhooks.
    Standard,
    /// Standard Webhooks, with a new id for every attempt.
    SupabaseAuth,
    /// A secret as bearer token: the sender signs nothing.
    SupabaseDatabase,
    /// `x-vercel-signature`.
    Vercel,
}

/// How far a sender's clock may be off, in seconds.
const TOLERANCE_S: i64 = 300;

/// A webhook whose signature is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Its id: another webhook with the same id is a duplicate.
    pub id: String,
    /// The sender's name for the event.
    pub kind: Option<String>,
    /// Index of the secret that it is signed with.
    pub key: usize,
}

/// Why a webhook is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the header {0} is missing or invalid")]
    Missing(&'static str),
    #[error("the timestamp is more than five minutes off")]
    Stale,
    #[error("the signature does not match a secret of this source")]
    Signature,
}

/// Verifies a webhook. `header` finds a header by its name in lower case; `now` is in seconds since 1970; any of the secrets may match.
pub fn verify<'a>(
    provider: WebhookProvider,
    header: impl Fn(&str) -> Option<&'a str>,
    body: &[u8],
    now: i64,
    secrets: &[String],
) -> Result<Verified, Refused> {
    let header: &dyn Fn(&str) -> Option<&'a str> = &header;
    match provider {
        WebhookProvider::Github => github::verify(header, body, secrets),
        WebhookProvider::Slack => slack::verify(header, body, now, secrets),
        WebhookProvider::Standard => standard::verify(header, body, now, secrets),
        // A retry has a new id and the same content.
        WebhookProvider::SupabaseAuth => standard::verify(header, body, now, secrets).map(|good| Verified { id: digest(&[body]), ..good }),
        WebhookProvider::SupabaseDatabase => supabase_database::verify(header, body, secrets),
        WebhookProvider::Vercel => vercel::verify(header, body, secrets),
    }
}

/// The first secret that matches; all are tried, so that the time it takes reveals nothing.
fn fitting(secrets: &[String], fits: impl Fn(&String) -> bool) -> Result<usize, Refused> {
    let found: Vec<bool> = secrets.iter().map(fits).collect();
    found.iter().position(|fits| *fits).ok_or(Refused::Signature)
}

fn is_recent(timestamp: &str, now: i64) -> Result<(), Refused> {
    let at: i64 = timestamp.parse().map_err(|_| Refused::Stale)?;
    if at.abs_diff(now) <= TOLERANCE_S.unsigned_abs() { Ok(()) } else { Err(Refused::Stale) }
}

fn digest(parts: &[&[u8]]) -> String {
    sha256(&parts.concat())
}

/// A field of the body.
fn field(body: &[u8], name: &str) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    body[name].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use hmac::{Hmac, KeyInit, Mac};

    use super::{Refused, Verified, WebhookProvider, verify};
    use crate::crypto::hex;
    use crate::hooks::sign;

    const NOW: i64 = 1_700_000_000;

    fn check(provider: WebhookProvider, headers: &[(&str, String)], body: &str, secrets: &[&str]) -> Result<Verified, Refused> {
        let headers: HashMap<&str, &str> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let secrets: Vec<String> = secrets.iter().map(|secret| (*secret).to_owned()).collect();
        verify(provider, |name| headers.get(name).copied(), body.as_bytes(), NOW, &secrets)
    }

    #[test]
    fn github_by_the_example_of_its_documentation() {
        let good = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17".to_owned();
        let headers = [("x-hub-signature-256", good), ("x-github-delivery", "d-1".to_owned()), ("x-github-event", "push".to_owned())];
        let secret = "It's a Secret to Everybody";
        let verified = check(WebhookProvider::Github, &headers, "Hello, World!", &["another", secret]).expect("valid");
        assert_eq!((verified.id.as_str(), verified.kind.as_deref(), verified.key), ("d-1", Some("push"), 1), "the old secret is good too");
        assert_eq!(check(WebhookProvider::Github, &headers, "Hello, World?", &[secret]), Err(Refused::Signature));
        assert_eq!(check(WebhookProvider::Github, &headers[1..], "Hello, World!", &[secret]), Err(Refused::Missing("x-hub-signature-256")));
    }

    #[test]
    fn standard_webhooks_with_several_signatures_and_a_time() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned();
        let signature = |at: i64| format!("v1,bm90IHRoaXM= {}", sign(std::slice::from_ref(&secret), "msg_1", at, "{}"));
        let headers = |at: i64, joined: &str| {
            [
                ("webhook-id", "msg_1".to_owned()),
                ("webhook-timestamp", at.to_string()),
                ("webhook-signature", signature(at).replace(' ', joined)),
            ]
        };
        assert_eq!(check(WebhookProvider::Standard, &headers(NOW, " "), "{}", &[&secret]).expect("valid").id, "msg_1");
        assert!(
            check(WebhookProvider::SupabaseAuth, &headers(NOW, ", "), "{}", &[&format!("v1,{secret}")]).is_ok(),
            "as Supabase Auth joins them"
        );
        for (off, refused) in [(-300, None), (300, None), (-301, Some(Refused::Stale)), (301, Some(Refused::Stale))] {
            assert_eq!(check(WebhookProvider::Standard, &headers(NOW + off, " "), "{}", &[&secret]).err(), refused, "{off} s from now");
        }
        assert_eq!(check(WebhookProvider::Standard, &headers(NOW, " "), "{ }", &[&secret]), Err(Refused::Signature));
        let (first, again) = (headers(NOW, " "), headers(NOW, " "));
        let id = |headers: &[(&str, String)]| check(WebhookProvider::SupabaseAuth, headers, "{}", &[&secret]).expect("valid").id;
        assert_eq!(id(&first), id(&again), "a retry is known by its content");
    }

    #[test]
    fn slack_by_its_own_rule() {
        let (secret, body) = ("8f742231b10e8888abcd99yyyzzz85a5", "token=x&team_id=T1DC2JH3J");
        let mac = |at: i64| {
            let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
            mac.update(format!("v0:{at}:{body}").as_bytes());
            format!("v0={}", hex(&mac.finalize().into_bytes()))
        };
        let headers = |at: i64| [("x-slack-signature", mac(at)), ("x-slack-request-timestamp", at.to_string())];
        assert!(check(WebhookProvider::Slack, &headers(NOW), body, &[secret]).is_ok());
        assert_eq!(check(WebhookProvider::Slack, &headers(NOW + 400), body, &[secret]), Err(Refused::Stale));
        assert_eq!(check(WebhookProvider::Slack, &headers(NOW), "token=y", &[secret]), Err(Refused::Signature));
    }

    #[test]
    fn vercel_and_database_webhooks() {
        let body = "{\"id\":\"evt_1\",\"type\":\"deployment.succeeded\"}";
        let mut mac = Hmac::<sha1::Sha1>::new_from_slice(b"client secret").expect("a key");
        mac.update(body.as_bytes());
        let signature = hex(&mac.finalize().into_bytes());
        let verified = check(WebhookProvider::Vercel, &[("x-vercel-signature", signature)], body, &["client secret"]).expect("valid");
        assert_eq!((verified.id.as_str(), verified.kind.as_deref()), ("evt_1", Some("deployment.succeeded")));
        let other = [("x-vercel-signature", "00".repeat(20))];
        assert_eq!(check(WebhookProvider::Vercel, &other, body, &["client secret"]), Err(Refused::Signature));

        let bearer = |secret: &str| [("authorization", format!("Bearer {secret}"))];
        let verified = check(WebhookProvider::SupabaseDatabase, &bearer("s3cret"), "{\"type\":\"INSERT\"}", &["s3cret"]).expect("valid");
        assert_eq!(verified.kind.as_deref(), Some("INSERT"));
        assert_eq!(check(WebhookProvider::SupabaseDatabase, &bearer("guess"), "{}", &["s3cret"]), Err(Refused::Signature));
        assert_eq!(check(WebhookProvider::SupabaseDatabase, &bearer(""), "{}", &[]), Err(Refused::Signature), "no secret is no pass");
    }
}
