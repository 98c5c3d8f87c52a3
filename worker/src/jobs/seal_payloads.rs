//! Encrypts payloads of the audit log, when the deployment has keys for it.

use nofx_shared::audit;
use nofx_shared::db::Error;

use super::context::JobContext;

pub(super) async fn run(context: &JobContext) -> Result<(), Error> {
    while let Some(keys) = &context.keys
        && audit::seal_payloads(&context.db, keys).await? > 0
    {}
    Ok(())
}
