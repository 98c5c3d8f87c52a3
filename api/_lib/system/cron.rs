//! `GET /api/cron/{job}`: periodic jobs of workers, for a deployment whose workers may all be scaled in. The platform calls them with
//! `Authorization: Bearer CRON_SECRET`, and may call twice: every job finds nothing to do the second time. An operator calls them with
//! the deployment's key.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use nofx_shared::problem::{Kind, Problem};
use nofx_shared::queue::WakeUp;
use nofx_shared::{containment, engine, retention};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::http::{Path, Refusal, has_internal_key};
use crate::{App, Background};

/// Batches of each kind of history that one call deletes: it must end before the platform ends it. Workers delete the rest.
const MAX_BATCHES: usize = 10;

/// The jobs; each is a line of `crons` in vercel.json.
#[derive(Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CronJob {
    /// Expires leases of workers that crashed, and cancels runs whose deadline has passed.
    Sweep,
    /// Fires due timers, and wakes workers again for ready steps that nobody claimed.
    Timers,
    /// Creates and drops partitions of the event log, and deletes history that is past its retention.
    Retention,
    /// Deletes idempotency keys and log chunks older than a day.
    Prune,
    /// Measures the queues, raises and resolves alerts, and publishes open breakers to Edge Config.
    Alerts,
}

/// The result of a job.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct CronResult {
    /// Leases expired and runs finished, steps woken, days dropped and rows deleted, keys and log chunks pruned, or alerts raised and resolved.
    changed: usize,
}

/// Run a scheduled job of the platform.
///
/// For the platform's scheduler, which authenticates with `CRON_SECRET`, and for operators with `INTERNAL_API_KEY`. For deployments whose
/// workers may all be scaled in. Calling it twice does no harm: the second call finds nothing to do. Returns how many things changed.
#[utoipa::path(get, path = "/cron/{job}", security(("cron" = []), ("internal_key" = [])), params(("job" = CronJob, Path)),
    responses((status = 200, body = CronResult)))]
pub(crate) async fn run_cron(
    State(app): State<App>,
    Path(job): Path<CronJob>,
    background: Background,
    headers: HeaderMap,
) -> Result<Json<CronResult>, Refusal> {
    let secret = app.settings().cron_secret.as_ref();
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    let is_cron = secret.zip(given).is_some_and(|(secret, given)| secret.as_bytes().ct_eq(given).into());
    if !is_cron && !has_internal_key(&app, &headers) {
        let detail = "Crons authenticate with CRON_SECRET; set it in the deployment. Operators send `X-Internal-Api-Key`.";
        return Err(Problem::new(Kind::Unauthorized, detail).into());
    }
    let db = app.service_db();
    let changed = match job {
        CronJob::Sweep => (engine::expire_all_leases(db, || {}).await? + engine::enforce_deadlines(db).await?) as usize,
        CronJob::Timers => {
            let wake_for = engine::fire_timers(db, None).await?.wake_for;
            let count = wake_for.len();
            app.wake_workers(&background, wake_for.into_iter().map(WakeUp::new).collect()).await;
            count
        }
        CronJob::Retention => {
            // Neither waits for the other to succeed.
            let dropped = retention::maintain_event_partitions(db).await;
            let mut deleted = 0;
            retention::prune(db, MAX_BATCHES, |_, count| deleted += count as usize).await?;
            dropped?.len() + deleted
        }
        CronJob::Prune => (retention::prune_requests(db).await? + retention::prune_logs(db).await?) as usize,
        CronJob::Alerts => {
            let changed = containment::watch_queues(db).await?;
            if let Some(edge_config) = app.edge_config()
                && let Err(error) = edge_config.publish(db).await
            {
                tracing::warn!(error = &error as &dyn std::error::Error, "could not publish open breakers; the next run will");
            }
            changed.raised + changed.resolved
        }
    };
    Ok(Json(CronResult { changed }))
}
