//! `/api/health`, `/api/ready`, metrics, the API's descriptions, and administration: keys, quotas, networks, breakers, dead letters, cron.

mod alerts;
mod audit;
mod breakers;
mod cron;
mod db_write_rules;
mod describe;
mod dlq;
mod health;
mod keys;
mod metrics;
mod model_settings;
mod networks;
mod quotas;

use crate::http::{Routes, routes};

#[cfg(test)]
pub(crate) use cron::CronJob;

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
        .routes(routes!(db_write_rules::list_db_write_rules, db_write_rules::set_db_write_rule))
        .routes(routes!(db_write_rules::delete_db_write_rule))
        .routes(routes!(model_settings::get_model_settings, model_settings::set_model_settings))
        .routes(routes!(keys::list_api_keys, keys::create_api_key))
        .routes(routes!(keys::revoke_api_key))
        .routes(routes!(audit::list_audit))
        .routes(routes!(quotas::get_quota, quotas::set_quota))
        .routes(routes!(networks::list_networks, networks::set_networks))
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

/// For the other functions: each has a health check.
pub(super) fn health_router<R: Routes>() -> R {
    R::default().routes(routes!(health::get_health))
}
