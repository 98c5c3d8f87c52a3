//! The loops of a worker and the order in which they stop: read this first.
//!
//! On SIGTERM or Ctrl-C the listener and the jobs stop at once. The consume loop stops claiming, waits for its running steps, interrupts
//! the rest, and ends last: until then the admin port answers, because a worker that drains is healthy and its figures count. What the loops need is built in `step::Services` and `startup`.

use std::sync::Arc;
use std::time::Duration;

use nofx_sandbox::Sandbox;
use nofx_shared::drivers::Level;
use nofx_shared::settings;
use nofx_shared::telemetry;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::consume::Consumer;
use crate::dependencies::Dependencies;
use crate::drivers::Isolation;
use crate::error::Error;
use crate::listener::{self, Wakeups};
use crate::metrics::Metrics;
use crate::models::Timings;
use crate::step::Services;
use crate::{admin, handlers, jobs, sbom, startup, task_protection};

/// Runs the worker until it gets a signal to stop.
pub async fn run(settings: settings::Worker, sandbox: Sandbox) -> Result<(), Error> {
    let stop = startup::stop_at_signal()?;
    let metrics = Arc::new(Metrics::new());
    tokio::spawn(heartbeat(sandbox.clone(), Arc::clone(&metrics)));
    let isolation = isolation(&settings, &sandbox).await;
    let timings = Timings { routing: metrics.model_routing.clone(), record: metrics.model_record.clone() };
    let dependencies =
        Dependencies::new(&settings.dependency_cache, settings.dependency_cache_bytes, sbom::locked, metrics.dependencies.clone());
    let keys = startup::keyring(&settings).await?;
    let services = Arc::new(Services::new(&settings, keys, isolation, sandbox, timings, dependencies, handlers::tool_catalogue));
    let db = services.db.clone();

    startup::ensure_bucket(&services.storage, &stop).await;
    // The listener: its wake-ups make the consume loop claim.
    let source =
        listener::Settings { worker: settings.name.clone(), db_url: settings.supabase.db_url.clone(), queue: settings.queue.clone() };
    let wakeups = Wakeups::start(source, stop.clone());
    let queue = Arc::new(startup::queue(&settings.queue).await);
    startup::publish_key(&db, &settings.signing_key, &stop).await;
    // The admin port: /health and /metrics, until this function ends.
    let ended = CancellationToken::new();
    let admin = admin::serve(settings.admin_port, Arc::clone(&metrics), db.clone(), ended.clone()).await?;
    let _ended = ended.drop_guard();
    // The background jobs.
    let context = jobs::JobContext {
        db: db.clone(),
        services: Arc::clone(&services),
        metrics: Arc::clone(&metrics),
        wakeups: wakeups.clone(),
        queue: Arc::clone(&queue),
        identity: jobs::WorkerIdentity {
            name: settings.name.clone(),
            region: settings.region.clone(),
            concurrency: settings.concurrency,
            started_at: chrono::Utc::now(),
        },
    };
    let jobs = jobs::spawn(context, settings.sweep, stop.clone());
    tracing::info!(worker = settings.name, admin = %admin, "worker started");
    // Protection from scale-in, while the consume loop holds leases.
    let (busy, is_busy) = watch::channel(false);
    if let Some(agent) = settings.ecs_agent.clone() {
        tokio::spawn(task_protection::run(agent, is_busy));
    }

    // The consume loop: it ends when all of its steps are settled.
    Consumer::new(db, &settings, services, wakeups, queue, metrics, busy).run(stop).await;
    jobs.abort();
    telemetry::flush().await;
    tracing::info!(worker = settings.name, "stopped");
    Ok(())
}

/// Shows the supervisor that this loop moves: one that stands still for ten seconds is ended, with its processes, and started again.
async fn heartbeat(sandbox: Sandbox, metrics: Arc<Metrics>) {
    loop {
        sandbox.heartbeat();
        let due = tokio::time::Instant::now() + Duration::from_secs(1);
        tokio::time::sleep_until(due).await;
        metrics.heartbeat(due.elapsed());
    }
}

/// What programs of steps can have here; what they cannot is for the operator to know.
async fn isolation(settings: &settings::Worker, sandbox: &Sandbox) -> Isolation {
    let isolation = Isolation::of_host(settings, sandbox.clone()).await;
    match isolation.floor {
        None => tracing::warn!("NOFX_ISOLATION=none: programs of plans have all rights of this worker's user"),
        Some(floor) if floor < Level::L2 => {
            tracing::warn!(%floor, "NOFX_ISOLATION_FLOOR is below L2: programs of plans may see files of this machine");
        }
        Some(_) => {}
    }
    for (level, why) in isolation.lacking.iter().filter(|(level, _)| Some(**level) >= isolation.floor) {
        tracing::warn!(%level, why, "this host does not offer an isolation level: steps that demand it go where NOFX_L4_DRIVER says, or fail");
    }
    if let Some(level) = isolation.reduced() {
        tracing::warn!(%level, "this host lacks NOFX_ISOLATION_FLOOR: the worker's own git and tar run in workspaces with less");
    }
    isolation
}
