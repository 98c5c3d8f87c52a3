//! Model calls: the candidates and their cooldowns (`route`), a call of one provider (`provider`), prices (`price`). Budgets and the
//! responses that a run already has are in the database: it is called before each model call.

mod price;
mod provider;
mod route;

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use nofx_shared::crypto::digest;
use nofx_shared::db;
use nofx_shared::engine::Failure;
use nofx_shared::models::{self, ModelCallResult, ModelCallStart, Settings};
use nofx_shared::{net, secrets, settings};
use prometheus_client::metrics::histogram::Histogram;
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use crate::step::StepContext;
use provider::{Completion, ProviderError, Usage};
pub(crate) use route::Task;
use route::{Candidate, Cooldowns};

/// How long the settings of a tenant are cached.
const SETTINGS_TTL: Duration = Duration::from_secs(30);
/// Rounds over all candidates before a call fails.
const MAX_ROUNDS: u32 = 3;
/// Longest wait for a candidate that cools down.
const MAX_WAIT: Duration = Duration::from_secs(60);

pub(crate) struct ModelRequest {
    pub task: Task,
    pub system: Option<String>,
    pub prompt: String,
    /// The response is JSON of this schema.
    pub schema: Option<Value>,
    pub max_tokens: u32,
    /// Timeout of one candidate.
    pub timeout: Duration,
    /// The candidates that the step names.
    pub order: Vec<String>,
}

pub(crate) struct ModelResponse {
    pub text: String,
    pub provider: String,
    pub model: String,
    pub usage: Usage,
    pub cost_usd: Option<f64>,
    /// Whether it is the response of an earlier call of the run.
    pub is_replay: bool,
}

pub(crate) struct Models {
    settings: settings::Models,
    /// Created with the first call: many workers make none.
    client: LazyLock<genai::Client>,
    cooldowns: Cooldowns,
    tenants: Mutex<HashMap<Uuid, (Instant, Settings)>>,
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
        Self { settings, client: LazyLock::new(client), cooldowns: Cooldowns::default(), tenants: Mutex::default(), timings }
    }

    /// Calls candidates until one responds, all have failed, a budget is used up or the step is stopped.
    pub(crate) async fn call(&self, step: &StepContext, request: &ModelRequest) -> Result<ModelResponse, Failure> {
        let started_at = Instant::now();
        let tenant = self.tenant_settings(step).await?;
        let candidates = route::candidates(request.task, &request.order, tenant.order.get(request.task.as_str()), &self.settings);
        let candidates = candidates.map_err(|why| Failure::permanent(format!("models: {why}")))?;
        let tokens = request.max_total_tokens();
        let input = tokens - u64::from(request.max_tokens);
        // The most expensive candidate may be the one that responds.
        let prices: Option<Vec<f64>> = candidates
            .iter()
            .map(|one| price::of(one.provider.name, &one.model).map(|price| price.max_cost_usd(input, request.max_tokens.into())))
            .collect();
        let usd = prices.map(|prices| prices.into_iter().fold(0.0, f64::max));
        let names: Vec<String> = candidates.iter().map(Candidate::name).collect();
        let hash = request.hash(&names);
        let begin = || models::begin_model_call(&step.services.db, &step.step, &hash, request.task.as_str(), usd, tokens);
        let begin_at = Instant::now();
        let begun = step.retry_until_stopped(begin, db::Error::is_permanent).await;
        let mut record = begin_at.elapsed();
        let begun = begun.map_err(|error| Failure::transient(format!("the model call could not be recorded: {error}")))?;
        let id = match begun.ok_or_else(|| Failure::transient("the lease expired"))? {
            ModelCallStart::OverBudget(why) => return Err(Failure::permanent(format!("the model budget does not allow the call: {why}"))),
            ModelCallStart::Replayed(known) => {
                return Ok(ModelResponse {
                    text: known.answer,
                    provider: known.provider,
                    model: known.model,
                    usage: Usage::default(),
                    cost_usd: Some(0.0),
                    is_replay: true,
                });
            }
            ModelCallStart::Reserved(id) => id,
        };
        let provider_at = Instant::now();
        let mut fallbacks = vec![];
        let completed = self.try_candidates(step, request, &candidates, &mut fallbacks).await;
        let provider = provider_at.elapsed();
        let mut result = ModelCallResult { latency_ms: provider.as_millis() as u64, fallbacks, ..ModelCallResult::default() };
        let response = match completed {
            Ok((candidate, completion)) => {
                let usage = completion.usage;
                let cost_usd = price::of(candidate.provider.name, &candidate.model).map(|price| price.cost_usd(&usage));
                (result.provider, result.model) = (Some(candidate.provider.name.to_owned()), Some(candidate.model.clone()));
                (result.input_tokens, result.cached_tokens) = (usage.input_tokens, usage.cached_tokens);
                (result.output_tokens, result.reasoning_tokens) = (usage.output_tokens, usage.reasoning_tokens);
                (result.cost_usd, result.answer) = (cost_usd, Some(step.mask.apply(&completion.text)));
                Ok(ModelResponse {
                    text: completion.text,
                    provider: candidate.provider.name.to_owned(),
                    model: candidate.model.clone(),
                    usage,
                    cost_usd,
                    is_replay: false,
                })
            }
            Err(failure) => {
                (result.error, result.cost_usd) = (Some(failure.message.clone()), Some(0.0));
                Err(failure)
            }
        };
        let end = || models::end_model_call(&step.services.db, id, &result);
        let end_at = Instant::now();
        step.retry_until_stopped(end, db::Error::is_permanent)
            .await
            .map_err(|error| Failure::transient(format!("the result of the model call could not be recorded: {error}")))?;
        record += end_at.elapsed();
        self.timings.record.observe(record.as_secs_f64());
        self.timings.routing.observe((started_at.elapsed() - provider - record).as_secs_f64());
        let response = response?;
        let parameters = json!({
            "provider": response.provider, "model": response.model, "candidates": names, "prices": price::version(), "request": hash,
        });
        step.parameters.lock().expect("the lock is never poisoned").insert("model".to_owned(), parameters);
        Ok(response)
    }

    async fn try_candidates<'a>(
        &self,
        step: &StepContext,
        request: &ModelRequest,
        candidates: &'a [Candidate],
        fallbacks: &mut Vec<Value>,
    ) -> Result<(&'a Candidate, Completion), Failure> {
        for round in 0..MAX_ROUNDS {
            for candidate in candidates {
                // The breaker counts failures of other workers and steps too. A candidate without an alternative is called all the same.
                let is_open = step.is_breaker_open(&format!("provider:{}", candidate.provider.name)) && candidates.len() > 1;
                if is_open || self.cooldowns.cooldown_until(candidate).is_some() {
                    continue;
                }
                let fallback = |class: &str, why: &str| json!({"provider": candidate.provider.name, "model": candidate.model, "class": class, "why": why});
                let key = match self.key(step, candidate).await {
                    Ok(key) => key,
                    // The first choice needs its key; other candidates are skipped without one.
                    Err(failure) if candidates[0].name() == candidate.name() || failure.transient => return Err(failure),
                    Err(failure) => {
                        fallbacks.push(fallback("missing_key", &failure.message));
                        continue;
                    }
                };
                let permits = self.cooldowns.permits(candidate.provider.name);
                let calling = async {
                    let _permit = permits.acquire().await;
                    provider::call(&self.client, candidate.provider, &candidate.base_url, &key, &candidate.model, request).await
                };
                let result = tokio::select! {
                    result = calling => result,
                    () = step.stop.cancelled() => return Err(Failure::transient("the step was stopped")),
                };
                match result {
                    Ok(completion) => {
                        self.cooldowns.succeeded(candidate);
                        return Ok((candidate, completion));
                    }
                    Err(error) => {
                        self.cooldowns.failed(candidate, &error);
                        let why = step.mask.apply(&error.message().replace(&key, "***"));
                        fallbacks.push(fallback(error.class(), &why));
                        match error {
                            ProviderError::InvalidRequest(_) => {
                                return Err(Failure::permanent(format!("{} rejected the request: {why}", candidate.name())));
                            }
                            // Another candidate would start the response again, and it would be paid for twice.
                            ProviderError::Truncated(_) => {
                                return Err(Failure::transient(format!("{} was cut off: {why}", candidate.name())));
                            }
                            ProviderError::RateLimited { .. } | ProviderError::Unavailable(_) | ProviderError::ContentFiltered(_) => {}
                        }
                    }
                }
            }
            let filtered = fallbacks.iter().filter(|one| one["class"] == "content_filtered").count();
            if round + 1 == MAX_ROUNDS || filtered == candidates.len() {
                break;
            }
            // All have failed or cool down: wait for the first, longer each round.
            let available_at = candidates.iter().filter_map(|candidate| self.cooldowns.cooldown_until(candidate)).min();
            let wait = available_at.map_or_else(|| Duration::from_millis(250) * 2u32.pow(round), |at| at - Instant::now());
            if wait > MAX_WAIT {
                break;
            }
            tokio::select! { () = tokio::time::sleep(wait) => {}, () = step.stop.cancelled() => return Err(Failure::transient("the step was stopped")) }
        }
        // The rounds may have failed the same way: each reason is named once.
        let mut reasons: Vec<String> = vec![];
        for one in fallbacks.iter() {
            let reason = format!("{}: {}", one["provider"].as_str().unwrap_or_default(), one["why"].as_str().unwrap_or_default());
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        let reasons = reasons.join("; ");
        let is_permanent = fallbacks.iter().all(|one| one["class"] == "content_filtered");
        let failure = if is_permanent { Failure::permanent } else { Failure::transient };
        Err(failure(format!("no model available: {}", if reasons.is_empty() { "all are cooling down" } else { &reasons })))
    }

    /// The key of a provider, from the tenant's secrets.
    async fn key(&self, step: &StepContext, candidate: &Candidate) -> Result<String, Failure> {
        let name = candidate.provider.secret.to_owned();
        let names = [name.clone()];
        let read = || step.services.secrets.read(step.step.tenant_id, &names);
        let found = step.retry_until_stopped(read, secrets::Error::is_permanent).await;
        let mut found = found.map_err(|error| {
            let message = format!("could not call {}: {error}", candidate.name());
            if error.is_permanent() { Failure::permanent(message) } else { Failure::transient(message) }
        })?;
        found.remove(&name).ok_or_else(|| Failure::permanent(format!("the secret {name} was not found")))
    }

    async fn tenant_settings(&self, step: &StepContext) -> Result<Settings, Failure> {
        let tenant = step.step.tenant_id;
        if let Some((at, cached)) = self.tenants.lock().expect("the lock is never poisoned").get(&tenant)
            && at.elapsed() < SETTINGS_TTL
        {
            return Ok(cached.clone());
        }
        let read = || models::model_settings(&step.services.db, tenant);
        let found = step.retry_until_stopped(read, db::Error::is_permanent).await;
        let found = found.map_err(|error| Failure::transient(format!("could not read the settings of the tenant: {error}")))?;
        self.tenants.lock().expect("the lock is never poisoned").insert(tenant, (Instant::now(), found.clone()));
        Ok(found)
    }
}

fn client() -> genai::Client {
    genai::Client::builder().with_reqwest(net::client()).build().expect("no setting of it is invalid")
}

impl ModelRequest {
    /// The limit of all tokens, for budgets: a token has at least two bytes in any human language.
    fn max_total_tokens(&self) -> u64 {
        let bytes = self.prompt.len()
            + self.system.as_ref().map_or(0, String::len)
            + self.schema.as_ref().map_or(0, |schema| schema.to_string().len());
        bytes as u64 / 2 + 64 + u64::from(self.max_tokens)
    }

    /// The same for the same request to the same candidates: the key for replays.
    fn hash(&self, candidates: &[String]) -> String {
        let all = json!([self.task.as_str(), self.system, self.prompt, self.schema, self.max_tokens, candidates]);
        digest(all.to_string().as_bytes())
    }
}
