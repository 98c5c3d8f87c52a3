//! The keys of providers: secrets of the tenant, read for each call and stored nowhere.

use nofx_shared::db;
use nofx_shared::engine::Failure;
use nofx_shared::secrets;

use super::caller::ModelCaller;
use super::candidates::Candidate;

/// The key of a provider, from the tenant's secrets.
pub(super) async fn key(caller: &ModelCaller<'_>, candidate: &Candidate) -> Result<String, Failure> {
    let name = candidate.provider.secret.to_owned();
    let names = [name.clone()];
    let record = || secrets::record_use(caller.db, caller.step.tenant_id, &names, Some((caller.step.id, caller.step.token)));
    match caller.retry_until_stopped(record, db::Error::is_permanent).await {
        Ok(true) => {}
        Ok(false) => return Err(Failure::transient("the step's lease has expired: no key is read")),
        Err(error) => return Err(Failure::transient(format!("the use of the secret {name} could not be recorded: {error}"))),
    }
    let read = || caller.secrets.read(caller.step.tenant_id, &names);
    let found = caller.retry_until_stopped(read, secrets::Error::is_permanent).await;
    let mut found = found.map_err(|error| {
        let message = format!("could not call {}: {error}", candidate.name());
        if error.is_permanent() { Failure::permanent(message) } else { Failure::transient(message) }
    })?;
    found.remove(&name).ok_or_else(|| Failure::permanent(format!("the secret {name} was not found")))
}
