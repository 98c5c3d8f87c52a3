//! GitHub: HMAC-SHA256 over the body, in hexadecimal. It signs no time and no header.

use super::body::digest;
use super::signature::fitting;
use super::{Refused, Verified};
use crate::crypto::is_hmac_sha256;

pub(super) fn verify<'a>(header: &dyn Fn(&str) -> Option<&'a str>, body: &[u8], secrets: &[String]) -> Result<Verified, Refused> {
    let signature = header("x-hub-signature-256").and_then(|text| text.strip_prefix("sha256="));
    let signature = signature.ok_or(Refused::Missing("x-hub-signature-256"))?;
    let key = fitting(secrets, |secret| is_hmac_sha256(secret.as_bytes(), body, signature))?;
    // `X-GitHub-Delivery` is not signed: a replay could name another one.
    Ok(Verified { id: digest(&[body]), kind: header("x-github-event").map(str::to_owned), key })
}
