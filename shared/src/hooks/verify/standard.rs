//! Standard Webhooks (standardwebhooks.com), as `hooks::sign` signs them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;

use super::body::field;
use super::signature::{fitting, is_recent};
use super::{Refused, Verified};
use crate::hooks::sign::mac;

pub(super) fn verify<'a>(header: &dyn Fn(&str) -> Option<&'a str>, body: &[u8], now: i64, secrets: &[String]) -> Result<Verified, Refused> {
    let id = header("webhook-id").ok_or(Refused::Missing("webhook-id"))?;
    let timestamp = header("webhook-timestamp").ok_or(Refused::Missing("webhook-timestamp"))?;
    let signatures = header("webhook-signature").ok_or(Refused::Missing("webhook-signature"))?;
    is_recent(timestamp, now)?;
    // Separated by spaces, or by a comma and a space.
    let given: Vec<Vec<u8>> =
        signatures.split_whitespace().filter_map(|one| STANDARD.decode(one.trim_end_matches(',').strip_prefix("v1,")?).ok()).collect();
    let key = fitting(secrets, |secret| {
        let Some(good) = mac(secret, id, timestamp, body) else { return false };
        given.iter().fold(false, |so_far, one| so_far | bool::from(one.ct_eq(&good)))
    })?;
    Ok(Verified { id: id.to_owned(), kind: field(body, "type"), key })
}
