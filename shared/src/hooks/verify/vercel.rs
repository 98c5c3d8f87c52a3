//! Vercel: HMAC-SHA1 over the body, in hexadecimal. It signs no time.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::body::{digest, field};
use super::signature::fitting;
use super::{Refused, Verified};

pub(super) fn verify<'a>(header: &dyn Fn(&str) -> Option<&'a str>, body: &[u8], secrets: &[String]) -> Result<Verified, Refused> {
    let signature = header("x-vercel-signature").ok_or(Refused::Missing("x-vercel-signature"))?;
    let given = hex::decode(signature).ok();
    let key = fitting(secrets, |secret| {
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret.as_bytes()) else { return false };
        mac.update(body);
        given.as_ref().is_some_and(|given| mac.verify_slice(given).is_ok())
    })?;
    Ok(Verified { id: field(body, "id").unwrap_or_else(|| digest(&[body])), kind: field(body, "type"), key })
}
