//! `expire_leases`: makes steps ready again whose lease ran out.

use serde::Deserialize;
use serde_json::json;

use crate::db::{Db, Error};

/// The result of a call of `expire_leases`.
#[derive(Deserialize)]
struct Expired {
    /// How many leases expired.
    expired: u32,
    /// Whether more is due than one call handles.
    more: bool,
}

/// Expires the leases of workers that crashed or became unreachable; returns how many. After a busy hour there are more leases than one call
/// checks: none of them waits for the next sweep. `wake` is called when steps are ready again, also if a later call fails.
pub async fn expire_all_leases(db: &Db, wake: impl Fn()) -> Result<u32, Error> {
    let mut expired = 0;
    loop {
        let part: Expired = db.call("expire_leases", &json!({})).await?;
        if part.expired > 0 {
            wake();
        }
        expired += part.expired;
        if !part.more {
            return Ok(expired);
        }
    }
}
