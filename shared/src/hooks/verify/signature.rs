//! The rules for every signature: one of the source's secrets matches it, and its time, if it has one, is recent.

use super::Refused;

/// How far a sender's clock may be off, in seconds.
const TOLERANCE_S: i64 = 300;

/// The first secret that matches; all are tried, so that the time it takes reveals nothing.
pub(super) fn fitting(secrets: &[String], fits: impl Fn(&String) -> bool) -> Result<usize, Refused> {
    let found: Vec<bool> = secrets.iter().map(fits).collect();
    found.iter().position(|fits| *fits).ok_or(Refused::Signature)
}

pub(super) fn is_recent(timestamp: &str, now: i64) -> Result<(), Refused> {
    let at: i64 = timestamp.parse().map_err(|_| Refused::Stale)?;
    if at.abs_diff(now) <= TOLERANCE_S.unsigned_abs() { Ok(()) } else { Err(Refused::Stale) }
}
