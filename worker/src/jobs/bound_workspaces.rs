//! Measures the disk of workspaces, and removes those of runs that have ended when all together use too much.

use nofx_shared::db::Error;
use nofx_shared::engine::unfinished_runs;

use super::context::JobContext;

pub(super) async fn run(context: &JobContext) -> Result<(), Error> {
    let workspaces = &context.services.workspaces;
    let runs = workspaces.runs().await;
    // Without workspaces no call.
    let unfinished = unfinished_runs(&context.db, &runs).await?;
    for run in workspaces.measure(runs, &unfinished).await {
        // It may have been retried meanwhile.
        if unfinished_runs(&context.db, &[run]).await?.is_empty() {
            tracing::info!(%run, "removing the workspace of a finished run: all workspaces use more than NOFX_WORKSPACES_MB");
            workspaces.remove(run).await;
        }
    }
    let (bytes, count) = workspaces.usage();
    context.metrics.workspaces(bytes, count);
    Ok(())
}
