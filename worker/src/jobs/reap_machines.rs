//! Kills machines whose attempts no worker runs: their worker was killed, or could not reach the provider. Those of a tenant's own account
//! are found when this worker has used it; the others end with their lifetime.

use nofx_shared::db::Error;
use nofx_shared::engine::ended_attempts;

use super::context::JobContext;
use crate::drivers::Account;

pub(super) async fn run(context: &JobContext) -> Result<(), Error> {
    for account in context.services.accounts.all().await {
        reap(context, account.as_ref()).await?;
    }
    Ok(())
}

async fn reap(context: &JobContext, account: &dyn Account) -> Result<(), Error> {
    // Listed before the database is read: an attempt that ended then has no machine to come.
    let found = match account.list(&context.services.accounts.deployment).await {
        Ok(found) => found,
        Err(fault) => {
            tracing::warn!(%fault, "could not list machines; the next run will");
            return Ok(());
        }
    };
    if found.is_empty() {
        return Ok(());
    }
    let attempts: Vec<_> = found.iter().map(|found| (found.tags.step, found.tags.attempt)).collect();
    for at in ended_attempts(&context.db, &attempts).await? {
        let Some(machine) = found.get(at) else { continue };
        match account.kill(&machine.id).await {
            Ok(()) => tracing::info!(machine = machine.id, step = %machine.tags.step, "killed a machine that was left behind"),
            Err(fault) => tracing::warn!(%fault, machine = machine.id, "could not kill a machine; the next run will"),
        }
    }
    Ok(())
}
