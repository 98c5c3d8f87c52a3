//! Wraps the keys of what is sealed by the current key of the deployment, after a rotation.

use nofx_shared::audit;
use nofx_shared::db::Error;

use super::context::JobContext;

pub(super) async fn run(context: &JobContext) -> Result<(), Error> {
    while audit::rewrap_keys(&context.db, &context.services.keys).await? > 0 {}
    Ok(())
}
