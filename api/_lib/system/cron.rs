//! `GET /api/cron/{job}`: what workers do from time to time, for a deployment whose workers may all be scaled in. The platform's
//! clock calls with `Authorization: Bearer CRON_SECRET`, and may call twice: every job finds nothing to do the second time.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use nofx_shared::problem::{Kind, Problem};
use nofx_shared::queue::WakeUp;
use nofx_shared::{containment, engine};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::App;
use crate::http::{Background, Path, Refusal};

/// The jobs; each is a line of `crons` in vercel.json.
#[derive(Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Job {
    /// Takes back leases of workers that went away and ends runs whose deadline has passed.
    Sweep,
    /// Wakes what is due and rings again for what nobody picked up.
    Doorbells,
    /// Makes and drops days of the event log.
    Retention,
    /// Forgets idempotency keys and pieces of logs older than a day.
    Ttl,
    /// Measures the queues, raises and resolves alerts, publishes what is shut out to the edge.
    Watch,
}

/// The result of a job.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Done {
    /// Leases expired and runs finished, steps woken, days dropped, keys and log chunks pruned, or alerts raised and resolved.
    changed: usize,
}

/// Run one of the platform's scheduled jobs.
#[utoipa::path(get, path = "/cron/{job}", security(("cron" = [])), params(("job" = Job, Path)),
    responses((status = 200, body = Done), (status = 401), (status = 404)))]
pub(crate) async fn run_cron(
    State(app): State<App>,
    Path(job): Path<Job>,
    background: Background,
    headers: HeaderMap,
) -> Result<Json<Done>, Refusal> {
    let secret = app.settings().cron_secret.as_ref();
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    if !secret.zip(given).is_some_and(|(secret, given)| secret.as_bytes().ct_eq(given).into()) {
        return Err(Problem::new(Kind::Unauthorized, "Crons authenticate with CRON_SECRET; set it in the deployment.").into());
    }
    let db = app.service_db();
    let changed = match job {
        Job::Sweep => {
            let mut lost = 0;
            loop {
                let expired = engine::expire_leases(db).await?;
                lost += expired.expired;
                if !expired.more {
                    break;
                }
            }
            (lost + engine::enforce_deadlines(db).await?) as usize
        }
        Job::Doorbells => {
            let rung = engine::fire_timers(db, None).await?.wake_for;
            let count = rung.len();
            app.wake_workers(&background, rung.into_iter().map(WakeUp::new).collect()).await;
            count
        }
        Job::Retention => engine::maintain_event_partitions(db).await?.len(),
        Job::Ttl => (engine::prune_requests(db).await? + engine::prune_logs(db).await?) as usize,
        Job::Watch => {
            let watched = containment::watch_queues(db).await?;
            if let Some(edge) = app.edge()
                && let Err(error) = edge.publish(db).await
            {
                tracing::warn!(error = &error as &dyn std::error::Error, "could not publish open breakers; the next run will");
            }
            watched.raised + watched.resolved
        }
    };
    Ok(Json(Done { changed }))
}
