//! Kills machines whose attempts no worker runs: their worker was killed, or could not reach the provider. An account is searched until
//! nothing is found there, and again once it is used; where that costs nothing the deployment's is searched each time. What is found by
//! nobody ends with its lifetime.

use nofx_shared::db::Error;
use nofx_shared::engine::ended_attempts;

use super::context::JobContext;
use crate::drivers::{Account, Fault};

pub(super) async fn run(context: &JobContext) -> Result<(), Error> {
    let accounts = &context.services.accounts;
    let mut result = Ok(());
    for searched in accounts.take_searched().await {
        let reaped = reap(context, searched.account.as_ref()).await;
        if !matches!(reaped, Ok(true)) {
            accounts.keep(&searched);
        }
        result = result.and_then(|()| reaped.map(drop));
    }
    result
}

/// Whether nothing is there.
async fn reap(context: &JobContext, account: &dyn Account) -> Result<bool, Error> {
    // Listed before the database is read: an attempt that ended then has no machine to come.
    let found = match account.list(&context.services.accounts.deployment).await {
        Ok(found) => found,
        // Its keys are none any more: nothing can be found there before it is used again.
        Err(Fault::Refused(why)) => {
            tracing::warn!(why, "could not list machines");
            return Ok(true);
        }
        Err(fault) => {
            tracing::warn!(%fault, "could not list machines; the next run will");
            return Ok(false);
        }
    };
    if found.is_empty() {
        return Ok(true);
    }
    let attempts: Vec<_> = found.iter().map(|found| (found.tags.step, found.tags.attempt)).collect();
    for at in ended_attempts(&context.db, &attempts).await? {
        let Some(machine) = found.get(at) else { continue };
        match account.kill(&machine.id).await {
            Ok(()) => tracing::info!(machine = machine.id, step = %machine.tags.step, "killed a machine that was left behind"),
            Err(fault) => tracing::warn!(%fault, machine = machine.id, "could not kill a machine; the next run will"),
        }
    }
    Ok(false)
}
