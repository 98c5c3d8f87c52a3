//! Questions to models: whom to ask (`route`), one provider (`provider`), what it costs (`price`). Budgets, and answers that a run has
//! already, are the database's: nothing is bought before it has been asked.

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

use crate::consume::StepContext;
use provider::{ProviderError, Said, Usage};
pub(crate) use route::Task;
use route::{Candidate, Cooldowns};

/// For how long what a tenant wants is remembered.
const MEMORY: Duration = Duration::from_secs(30);
/// Rounds over all candidates before a question is given up.
const ROUNDS: u32 = 3;
/// Longest wait for a deployment that cools down.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What is asked.
pub(crate) struct Question {
    pub task: Task,
    pub system: Option<String>,
    pub prompt: String,
    /// The answer is JSON of this schema.
    pub schema: Option<Value>,
    pub max_tokens: u32,
    /// For one provider to answer.
    pub timeout: Duration,
    /// Whom to ask, when the step says it.
    pub order: Vec<String>,
}

pub(crate) struct Answer {
    pub text: String,
    pub provider: String,
    pub model: String,
    pub usage: Usage,
    pub cost_usd: Option<f64>,
    /// Whether the run had it already.
    pub is_replay: bool,
}

pub(crate) struct Models {
    settings: settings::Models,
    /// Made with the first question: most workers ask none.
    client: LazyLock<genai::Client>,
    traffic: Cooldowns,
    tenants: Mutex<HashMap<Uuid, (Instant, Settings)>>,
    times: Times,
}

/// Seconds of each question beside the provider's.
pub(crate) struct Times {
    /// Ours alone.
    pub routing: Histogram,
    /// The database's: budget and replay before, the record after.
    pub record: Histogram,
}

impl Models {
    pub(crate) fn new(settings: settings::Models, times: Times) -> Self {
        Self { settings, client: LazyLock::new(client), traffic: Cooldowns::default(), tenants: Mutex::default(), times }
    }

    /// Asks until somebody answers, the budget is spent or the step is stopped.
    pub(crate) async fn ask(&self, step: &StepContext, question: &Question) -> Result<Answer, Failure> {
        let asked_at = Instant::now();
        let tenant = self.tenant(step).await?;
        let candidates = route::order(question.task, &question.order, tenant.order.get(question.task.as_str()), &self.settings);
        let candidates = candidates.map_err(|why| Failure::permanent(format!("models: {why}")))?;
        let tokens = question.tokens();
        let input = tokens - u64::from(question.max_tokens);
        // The dearest of them may be the one that answers.
        let prices: Option<Vec<f64>> = candidates
            .iter()
            .map(|one| price::of(one.provider.name, &one.model).map(|price| price.most_usd(input, question.max_tokens.into())))
            .collect();
        let usd = prices.map(|prices| prices.into_iter().fold(0.0, f64::max));
        let names: Vec<String> = candidates.iter().map(Candidate::name).collect();
        let hash = question.hash(&names);
        let begin = || models::begin_model_call(&step.tools.db, &step.step, &hash, question.task.as_str(), usd, tokens);
        let begin_at = Instant::now();
        let begun = step.insist(begin, db::Error::is_permanent).await;
        let mut record = begin_at.elapsed();
        let begun = begun.map_err(|error| Failure::transient(format!("the model call could not be recorded: {error}")))?;
        let id = match begun.ok_or_else(|| Failure::transient("the lease expired"))? {
            ModelCallStart::OverBudget(why) => return Err(Failure::permanent(format!("the model budget does not allow the call: {why}"))),
            ModelCallStart::Replayed(known) => {
                return Ok(Answer {
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
        let asked = self.try_all(step, question, &candidates, &mut fallbacks).await;
        let provider = provider_at.elapsed();
        let mut bought = ModelCallResult { latency_ms: provider.as_millis() as u64, fallbacks, ..ModelCallResult::default() };
        let result = match asked {
            Ok((candidate, said)) => {
                let cost_usd = price::of(candidate.provider.name, &candidate.model).map(|price| price.cost_usd(&said.usage));
                (bought.provider, bought.model) = (Some(candidate.provider.name.to_owned()), Some(candidate.model.clone()));
                (bought.input_tokens, bought.cached_tokens) = (said.usage.input_tokens, said.usage.cached_tokens);
                (bought.output_tokens, bought.reasoning_tokens) = (said.usage.output_tokens, said.usage.reasoning_tokens);
                (bought.cost_usd, bought.answer) = (cost_usd, Some(step.mask.apply(&said.text)));
                Ok(Answer {
                    text: said.text,
                    provider: candidate.provider.name.to_owned(),
                    model: candidate.model.clone(),
                    usage: said.usage,
                    cost_usd,
                    is_replay: false,
                })
            }
            Err(failure) => {
                (bought.error, bought.cost_usd) = (Some(failure.message.clone()), Some(0.0));
                Err(failure)
            }
        };
        let end = || models::end_model_call(&step.tools.db, id, &bought);
        let end_at = Instant::now();
        step.insist(end, db::Error::is_permanent)
            .await
            .map_err(|error| Failure::transient(format!("the result of the model call could not be recorded: {error}")))?;
        record += end_at.elapsed();
        self.times.record.observe(record.as_secs_f64());
        self.times.routing.observe((asked_at.elapsed() - provider - record).as_secs_f64());
        let answer = result?;
        let facts =
            json!({"provider": answer.provider, "model": answer.model, "asked": names, "prices": price::version(), "request": hash});
        step.facts.lock().expect("nobody panics while holding it").insert("model".to_owned(), facts);
        Ok(answer)
    }

    async fn try_all<'a>(
        &self,
        step: &StepContext,
        question: &Question,
        candidates: &'a [Candidate],
        fallbacks: &mut Vec<Value>,
    ) -> Result<(&'a Candidate, Said), Failure> {
        for round in 0..ROUNDS {
            for candidate in candidates {
                // What other workers and steps met counts too, unless there is nobody else to ask.
                let shut = step.is_shut(&format!("provider:{}", candidate.provider.name)) && candidates.len() > 1;
                if shut || self.traffic.cools_until(candidate).is_some() {
                    continue;
                }
                let key = match self.key(step, candidate).await {
                    Ok(key) => key,
                    // The first choice must be there; a fallback that nobody set up is none.
                    Err(failure) if candidates[0].name() == candidate.name() || failure.transient => return Err(failure),
                    Err(failure) => {
                        fallbacks.push(json!({"provider": candidate.provider.name, "model": candidate.model, "class": "no key", "why": failure.message}));
                        continue;
                    }
                };
                let turns = self.traffic.turns(candidate.provider.name);
                let asking = async {
                    let _turn = turns.acquire().await;
                    provider::ask(&self.client, candidate.provider, &candidate.base_url, &key, &candidate.model, question).await
                };
                let asked = tokio::select! {
                    asked = asking => asked,
                    () = step.stop.cancelled() => return Err(Failure::transient("the step was stopped")),
                };
                match asked {
                    Ok(said) => {
                        self.traffic.answered(candidate);
                        return Ok((candidate, said));
                    }
                    Err(trouble) => {
                        self.traffic.troubled(candidate, &trouble);
                        let why = step.mask.apply(&trouble.what().replace(&key, "***"));
                        fallbacks.push(
                            json!({"provider": candidate.provider.name, "model": candidate.model, "class": trouble.class(), "why": why}),
                        );
                        match trouble {
                            ProviderError::Wrong(_) => {
                                return Err(Failure::permanent(format!("{} rejected the request: {why}", candidate.name())));
                            }
                            // Another one would begin anew what was half said.
                            ProviderError::Cut(_) => return Err(Failure::transient(format!("{} was cut off: {why}", candidate.name()))),
                            ProviderError::Busy { .. } | ProviderError::Broken(_) | ProviderError::Declined(_) => {}
                        }
                    }
                }
            }
            let declined = fallbacks.iter().filter(|one| one["class"] == "declined").count();
            if round + 1 == ROUNDS || declined == candidates.len() {
                break;
            }
            // All were asked or cool down: wait for the first, longer each round.
            let free = candidates.iter().filter_map(|candidate| self.traffic.cools_until(candidate)).min();
            let wait = free.map_or_else(|| Duration::from_millis(250) * 2u32.pow(round), |at| at - Instant::now());
            if wait > LONGEST_WAIT {
                break;
            }
            tokio::select! { () = tokio::time::sleep(wait) => {}, () = step.stop.cancelled() => return Err(Failure::transient("the step was stopped")) }
        }
        // Asked three times in vain, the same is said once.
        let mut tried: Vec<String> = vec![];
        for one in fallbacks.iter() {
            let said = format!("{}: {}", one["provider"].as_str().unwrap_or_default(), one["why"].as_str().unwrap_or_default());
            if !tried.contains(&said) {
                tried.push(said);
            }
        }
        let tried = tried.join("; ");
        let failure = if fallbacks.iter().all(|one| one["class"] == "declined") { Failure::permanent } else { Failure::transient };
        Err(failure(format!("no model available: {}", if tried.is_empty() { "all are cooling down" } else { &tried })))
    }

    /// The key of a provider, from the tenant's secrets.
    async fn key(&self, step: &StepContext, candidate: &Candidate) -> Result<String, Failure> {
        let name = candidate.provider.secret.to_owned();
        let names = [name.clone()];
        let read = || step.tools.secrets.read(step.step.tenant_id, &names);
        let found = step.insist(read, secrets::Error::is_permanent).await;
        let mut found = found.map_err(|error| {
            let message = format!("could not call {}: {error}", candidate.name());
            if error.is_permanent() { Failure::permanent(message) } else { Failure::transient(message) }
        })?;
        found.remove(&name).ok_or_else(|| Failure::permanent(format!("the secret {name} was not found")))
    }

    async fn tenant(&self, step: &StepContext) -> Result<Settings, Failure> {
        let tenant = step.step.tenant_id;
        if let Some((at, known)) = self.tenants.lock().expect("nobody panics while holding it").get(&tenant)
            && at.elapsed() < MEMORY
        {
            return Ok(known.clone());
        }
        let read = || models::model_settings(&step.tools.db, tenant);
        let found = step.insist(read, db::Error::is_permanent).await;
        let found = found.map_err(|error| Failure::transient(format!("could not read the settings of the tenant: {error}")))?;
        self.tenants.lock().expect("nobody panics while holding it").insert(tenant, (Instant::now(), found.clone()));
        Ok(found)
    }
}

fn client() -> genai::Client {
    genai::Client::builder().with_reqwest(net::client()).build().expect("it has no settings that could be wrong")
}

impl Question {
    /// At most so many tokens: a token is two bytes at least in any language that people write.
    fn tokens(&self) -> u64 {
        let bytes = self.prompt.len()
            + self.system.as_ref().map_or(0, String::len)
            + self.schema.as_ref().map_or(0, |schema| schema.to_string().len());
        bytes as u64 / 2 + 64 + u64::from(self.max_tokens)
    }

    /// The same for the same question to the same candidates.
    fn hash(&self, candidates: &[String]) -> String {
        let all = json!([self.task.as_str(), self.system, self.prompt, self.schema, self.max_tokens, candidates]);
        digest(all.to_string().as_bytes())
    }
}
