//! Creates a machine. A call that may have made one is not repeated before what it made is found and killed.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::{Account, Fault, Machine, Spec};

/// How often a machine is created before the attempt fails, when no answer says whether it was.
const CALLS: u32 = 3;
/// The first wait when a provider does not name one; each is twice the one before.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// `is_uncertain` is true from the moment a machine may be there that nobody knows, until it is found or can no longer be: also when the
/// future is dropped.
pub(super) async fn create(account: &dyn Account, spec: &Spec, is_uncertain: &mut bool) -> Result<Arc<dyn Machine>, Fault> {
    let (mut spec, mut wait, mut calls) = (spec.clone(), FIRST_WAIT, 0);
    loop {
        spec.tags.creation = Uuid::now_v7();
        let was_uncertain = std::mem::replace(is_uncertain, true);
        match account.create(&spec).await {
            Ok(machine) => {
                *is_uncertain = was_uncertain;
                return Ok(machine);
            }
            Err(Fault::Busy { after, why }) => {
                *is_uncertain = was_uncertain;
                tracing::debug!(why, "the provider of sandboxes is busy; trying again");
                tokio::time::sleep(after.unwrap_or(wait)).await;
            }
            Err(Fault::Refused(why)) => {
                *is_uncertain = was_uncertain;
                return Err(Fault::Refused(why));
            }
            Err(fault @ (Fault::Unavailable(_) | Fault::Gone(_))) => {
                calls += 1;
                tokio::time::sleep(wait).await;
                // One that appears later is found when the attempt ends.
                let is_known = kill_created(account, &spec).await;
                if calls == CALLS || is_known.is_err() {
                    return Err(fault);
                }
            }
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Kills what a call made whose answer did not come.
async fn kill_created(account: &dyn Account, spec: &Spec) -> Result<(), Fault> {
    for found in account.list(&spec.tags.deployment).await? {
        if found.tags.creation == spec.tags.creation {
            account.kill(&found.id).await?;
        }
    }
    Ok(())
}
