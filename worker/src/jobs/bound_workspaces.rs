//! Removes workspaces of runs that have ended, and bounds the disk of the others.

use nofx_shared::db::Error;
use nofx_shared::engine::unfinished_runs;

use super::context::JobContext;

pub(super) async fn run(context: &JobContext) -> Result<(), Error> {
    let workspaces = &context.services.workspaces;
    // Without workspaces no call.
    let unfinished = unfinished_runs(&context.db, &workspaces.runs()).await?;
    workspaces.bound(&unfinished).await;
    let (bytes, count) = workspaces.usage();
    context.metrics.workspaces(bytes, count);
    Ok(())
}
