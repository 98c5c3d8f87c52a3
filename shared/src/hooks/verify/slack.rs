//! Slack: HMAC-SHA256 over version, time and body, in hexadecimal.

use super::body::digest;
use super::signature::{fitting, is_recent};
use super::{Refused, Verified};
use crate::crypto::is_hmac_sha256;

pub(super) fn verify<'a>(header: &dyn Fn(&str) -> Option<&'a str>, body: &[u8], now: i64, secrets: &[String]) -> Result<Verified, Refused> {
    let signature = header("x-slack-signature").and_then(|text| text.strip_prefix("v0="));
    let signature = signature.ok_or(Refused::Missing("x-slack-signature"))?;
    let timestamp = header("x-slack-request-timestamp").ok_or(Refused::Missing("x-slack-request-timestamp"))?;
    is_recent(timestamp, now)?;
    let signed = [b"v0:", timestamp.as_bytes(), b":", body].concat();
    let key = fitting(secrets, |secret| is_hmac_sha256(secret.as_bytes(), &signed, signature))?;
    Ok(Verified { id: digest(&[timestamp.as_bytes(), body]), kind: None, key })
}
