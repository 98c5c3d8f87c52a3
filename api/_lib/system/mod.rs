//! `/api/health`, `/api/ready`, metrics, the API's descriptions, model settings, the default workspace, isolation, breakers, dead letters, alerts,
//! cron. Keys and quotas are in `access`.

mod alerts;
mod breakers;
mod cron;
mod default_workspace;
mod describe;
mod dlq;
mod health;
mod isolation;
mod metrics;
mod model_settings;

use crate::http::{Routes, routes};

#[cfg(test)]
pub(crate) use cron::CronJob;
pub(crate) use health::health_router;

pub(super) fn router<R: Routes>() -> R {
    R::default()
        .routes(routes!(health::get_health))
        .routes(routes!(health::get_ready))
        .routes(routes!(metrics::get_metrics_summary))
        .routes(routes!(describe::get_openapi))
        .routes(routes!(describe::get_asyncapi))
        .routes(routes!(describe::get_plan_schema))
        .routes(routes!(describe::get_evidence_schema))
        .routes(routes!(crate::artifacts::get_signing_keys))
        .routes(routes!(model_settings::get_model_settings, model_settings::set_model_settings))
        .routes(routes!(default_workspace::get_default_workspace, default_workspace::set_default_workspace))
        .routes(routes!(isolation::get_isolation, isolation::set_isolation))
        .routes(routes!(alerts::list_alerts))
        .routes(routes!(alerts::get_alert))
        .routes(routes!(alerts::set_alert_rule))
        .routes(routes!(cron::run_cron))
        .routes(routes!(dlq::list_dead_letters))
        .routes(routes!(dlq::get_dead_letter))
        .routes(routes!(dlq::requeue_dead_letters))
        .routes(routes!(dlq::purge_dead_letters))
        .routes(routes!(breakers::list_breakers, breakers::set_breaker))
}
