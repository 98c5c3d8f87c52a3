//! Database webhooks of Supabase: a bearer token and no signature.

use subtle::ConstantTimeEq;

use super::body::{digest, field};
use super::signature::fitting;
use super::{Refused, Verified};

/// The sender signs nothing: the webhook is a hint, and the row must be read again.
pub(super) fn verify<'a>(header: &dyn Fn(&str) -> Option<&'a str>, body: &[u8], secrets: &[String]) -> Result<Verified, Refused> {
    let given = header("authorization").and_then(|text| text.strip_prefix("Bearer ")).ok_or(Refused::Missing("authorization"))?;
    let key = fitting(secrets, |secret| given.as_bytes().ct_eq(secret.as_bytes()).into())?;
    Ok(Verified { id: digest(&[body]), kind: field(body, "type"), key })
}
