//! The list of jobs that repeat, and how all jobs are run: side by side, until the worker stops.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, join_all};
use nofx_shared::db::Error;
use tokio_util::sync::CancellationToken;

use super::context::JobContext;
use super::{bound_workspaces, deadlines, deliver_hooks, prune, reap_machines, report_checks, rewrap_keys, sweep, watch_queues};

/// One run of a job; the next one retries what failed.
type Job = for<'a> fn(&'a JobContext) -> BoxFuture<'a, Result<(), Error>>;

/// The one list of jobs that repeat: name, time between two runs, job. An idle worker makes twelve calls a minute: four sweeps of two, two
/// for deadlines, one for the queues and one for the audit log; one more when it has workspaces. `reap_machines` calls the providers of
/// machines, if there are any.
fn all(sweep_interval: Duration) -> [(&'static str, Duration, Job); 7] {
    [
        ("sweep", sweep_interval, |context| Box::pin(sweep::run(context))),
        ("deadlines", Duration::from_secs(30), |context| Box::pin(deadlines::run(context))),
        ("bound_workspaces", sweep_interval * 4, |context| Box::pin(bound_workspaces::run(context))),
        ("prune", Duration::from_secs(3600), |context| Box::pin(prune::run(context))),
        ("reap_machines", sweep_interval * 4, |context| Box::pin(reap_machines::run(context))),
        ("watch_queues", Duration::from_secs(60), |context| Box::pin(watch_queues::run(context))),
        ("rewrap_keys", Duration::from_secs(60), |context| Box::pin(rewrap_keys::run(context))),
    ]
}

/// Starts all jobs.
pub(crate) fn spawn(context: JobContext, sweep_interval: Duration, stop: CancellationToken) -> tokio::task::JoinHandle<()> {
    let (db, services, metrics) = (context.db.clone(), Arc::clone(&context.services), Arc::clone(&context.metrics));
    tokio::spawn(async move {
        let repeated = join_all(all(sweep_interval).map(|(name, period, job)| repeat(&context, name, period, job)));
        let deliver_hooks = deliver_hooks::run(db.clone(), Arc::clone(&services), metrics, stop.clone());
        let report_checks = report_checks::run(db, services, stop.clone());
        tokio::select! { _ = repeated => {}, () = deliver_hooks => {}, () = report_checks => {}, () = stop.cancelled() => {} }
    })
}

async fn repeat(context: &JobContext, name: &'static str, period: Duration, job: Job) {
    loop {
        if let Err(error) = job(context).await {
            tracing::warn!(%error, job = name, "a job failed; the next run will retry");
            context.metrics.job_failed(name);
        }
        tokio::time::sleep(period).await;
    }
}
