//! Each sender by its own documentation, and what must be refused.

use std::collections::HashMap;

use hmac::{Hmac, KeyInit, Mac};

use super::{Refused, Verified, WebhookProvider, digest, verify};
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
    let id = digest(&[b"Hello, World!"]);
    assert_eq!((&verified.id, verified.kind.as_deref(), verified.key), (&id, Some("push"), 1), "the old secret is good too");
    let replayed = [headers[0].clone(), ("x-github-delivery", "d-2".to_owned())];
    assert_eq!(check(WebhookProvider::Github, &replayed, "Hello, World!", &[secret]).expect("signed").id, id, "its name is not signed");
    assert_eq!(check(WebhookProvider::Github, &headers, "Hello, World?", &[secret]), Err(Refused::Signature));
    assert_eq!(check(WebhookProvider::Github, &headers[1..], "Hello, World!", &[secret]), Err(Refused::Missing("x-hub-signature-256")));
}

#[test]
fn standard_webhooks_with_several_signatures_and_a_time() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(); // nofx:allow-secret of the specification
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
    let (secret, body) = ("8f742231b10e8888abcd99yyyzzz85a5", "token=x&team_id=T1DC2JH3J"); // nofx:allow-secret of Slack's documentation
    let mac = |at: i64| {
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
        mac.update(format!("v0:{at}:{body}").as_bytes());
        format!("v0={}", hex::encode(mac.finalize().into_bytes()))
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
    let signature = hex::encode(mac.finalize().into_bytes());
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
