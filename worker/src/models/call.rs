//! One model call: reserve → try → record, and the time that each takes.

use std::sync::LazyLock;

use nofx_shared::engine::Failure;
use nofx_shared::models::{ModelCallResult, ModelCallStart};
use nofx_shared::{net, settings};
use prometheus_client::metrics::histogram::Histogram;
use serde_json::json;
use tokio::time::Instant;

use super::caller::ModelCaller;
use super::candidates::{Candidate, candidates};
use super::cooldown::Cooldowns;
use super::fallback::try_candidates;
use super::request::ModelRequest;
use super::response::ModelResponse;
use super::tenant_order::TenantOrders;
use super::{price, record};

/// What all model calls of a worker share.
pub(crate) struct Models {
    settings: settings::Models,
    /// Created with the first call: many workers make none.
    client: LazyLock<genai::Client>,
    cooldowns: Cooldowns,
    tenants: TenantOrders,
    timings: Timings,
}

/// The overhead of a model call, in seconds.
pub(crate) struct Timings {
    /// Time in the worker.
    pub routing: Histogram,
    /// Time in the database: budget and replay before, the record after.
    pub record: Histogram,
}

impl Models {
    pub(crate) fn new(settings: settings::Models, timings: Timings) -> Self {
        Self { settings, client: LazyLock::new(client), cooldowns: Cooldowns::default(), tenants: TenantOrders::new(), timings }
    }

    /// Calls candidates until one responds, all have failed, a budget is used up or the step is stopped.
    pub(crate) async fn call(&self, caller: &ModelCaller<'_>, request: &ModelRequest) -> Result<ModelResponse, Failure> {
        let started_at = Instant::now();
        let tenant = self.tenants.settings(caller).await?;
        let candidates = candidates(request.task, &request.order, tenant.order.get(request.task.as_str()), &self.settings);
        let candidates = candidates.map_err(|why| Failure::permanent(format!("models: {why}")))?;
        let tokens = request.max_total_tokens();
        let usd = price::max_cost_usd(&candidates, tokens - u64::from(request.max_tokens), request.max_tokens.into());
        let names: Vec<String> = candidates.iter().map(Candidate::name).collect();
        let hash = request.hash(&names);

        let reserve_at = Instant::now();
        let start = record::reserve(caller, request.task, &hash, usd, tokens).await?;
        let mut database = reserve_at.elapsed();
        let id = match start {
            ModelCallStart::OverBudget(why) => return Err(Failure::permanent(format!("the model budget does not allow the call: {why}"))),
            ModelCallStart::Replayed(known) => return Ok(ModelResponse::replay(known)),
            ModelCallStart::Reserved(id) => id,
        };

        let provider_at = Instant::now();
        let mut fallbacks = vec![];
        let completed = try_candidates(&self.client, &self.cooldowns, caller, request, &candidates, &mut fallbacks).await;
        let provider = provider_at.elapsed();

        let mut result = ModelCallResult { latency_ms: provider.as_millis() as u64, fallbacks, ..ModelCallResult::default() };
        let response = match completed {
            Ok((candidate, completion)) => {
                let response = ModelResponse::new(candidate, completion);
                response.put_into(&mut result, caller.mask);
                Ok(response)
            }
            Err(failure) => {
                (result.error, result.cost_usd) = (Some(failure.message.clone()), Some(0.0));
                Err(failure)
            }
        };
        let store_at = Instant::now();
        record::store(caller, id, &result).await?;
        database += store_at.elapsed();
        self.timings.record.observe(database.as_secs_f64());
        self.timings.routing.observe((started_at.elapsed() - provider - database).as_secs_f64());

        let mut response = response?;
        response.parameters = Some(json!({
            "provider": response.provider, "model": response.model, "candidates": names, "prices": price::version(), "request": hash,
        }));
        Ok(response)
    }
}

fn client() -> genai::Client {
    genai::Client::builder().with_reqwest(net::client()).build().expect("no setting of it is invalid")
}
