//! The candidates of a model call, in order, and their cooldowns.
//!
//! A candidate that is rate limited or fails cools down for all steps of the worker; the next one is called meanwhile. When all cool down,
//! the call waits for the first to be available, as long as the step's timeout allows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::provider::{PROVIDERS, Provider, ProviderError};
use nofx_shared::settings;

/// Concurrent calls of one provider.
const MAX_CONCURRENT: usize = 16;
/// Cooldown when the provider names none.
const DEFAULT_COOLDOWN: Duration = Duration::from_secs(5);
/// Failures in a row that start a cooldown.
const FAILURE_THRESHOLD: u32 = 3;

/// The kind of work: selects the candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Task {
    Codegen,
    Reasoning,
    Docs,
}

impl Task {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Codegen => "codegen",
            Self::Reasoning => "reasoning",
            Self::Docs => "docs",
        }
    }

    fn providers(self) -> [&'static str; 3] {
        match self {
            Self::Codegen => ["openai", "anthropic", "gemini"],
            Self::Reasoning => ["anthropic", "openai", "gemini"],
            Self::Docs => ["gemini", "openai", "anthropic"],
        }
    }
}

/// A model at a provider.
#[derive(Clone)]
pub(super) struct Candidate {
    pub provider: &'static Provider,
    pub base_url: String,
    pub model: String,
}

impl Candidate {
    fn read(text: &str, settings: &settings::Models) -> Result<Self, String> {
        let (name, model) = text.split_once('/').map_or((text, None), |(name, model)| (name, Some(model)));
        let known = || PROVIDERS.iter().map(|provider| provider.name).collect::<Vec<_>>().join(", ");
        let provider = PROVIDERS
            .iter()
            .find(|provider| provider.name == name)
            .ok_or_else(|| format!("unknown provider `{name}`; known: {}", known()))?;
        let base_url = settings.base_urls.get(name).cloned().or_else(|| provider.base_url.map(str::to_owned));
        let base_url = base_url.ok_or_else(|| format!("`{name}` has no address: set {}_BASE_URL for the worker", name.to_uppercase()))?;
        Ok(Self { provider, base_url, model: model.filter(|model| !model.is_empty()).unwrap_or(provider.model).to_owned() })
    }

    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.provider.name, self.model)
    }
}

/// The candidates of a task, from the first of these that is set: the step, the tenant, `LLM_ORDER`, the defaults of the task.
pub(super) fn candidates(
    task: Task,
    step: &[String],
    tenant: Option<&Vec<String>>,
    settings: &settings::Models,
) -> Result<Vec<Candidate>, String> {
    let named = [step, tenant.map(Vec::as_slice).unwrap_or_default(), &settings.order].into_iter().find(|order| !order.is_empty());
    match named {
        Some(order) => order.iter().map(|text| Candidate::read(text, settings)).collect(),
        None => task.providers().iter().map(|name| Candidate::read(name, settings)).collect(),
    }
}

/// The state of all candidates, shared by the steps of the worker.
#[derive(Default)]
pub(super) struct Cooldowns {
    candidates: Mutex<HashMap<String, State>>,
    permits: Mutex<HashMap<&'static str, Arc<Semaphore>>>,
}

#[derive(Clone, Copy, Default)]
struct State {
    failures: u32,
    until: Option<Instant>,
}

impl Cooldowns {
    /// Limits the concurrent calls of a provider.
    pub(super) fn permits(&self, provider: &'static str) -> Arc<Semaphore> {
        let mut permits = self.permits.lock().expect("the lock is never poisoned");
        Arc::clone(permits.entry(provider).or_insert_with(|| Arc::new(Semaphore::new(MAX_CONCURRENT))))
    }

    /// The end of a candidate's cooldown, if it has one.
    pub(super) fn cooldown_until(&self, candidate: &Candidate) -> Option<Instant> {
        let candidates = self.candidates.lock().expect("the lock is never poisoned");
        candidates.get(&candidate.name())?.until.filter(|until| *until > Instant::now())
    }

    pub(super) fn succeeded(&self, candidate: &Candidate) {
        self.candidates.lock().expect("the lock is never poisoned").remove(&candidate.name());
    }

    pub(super) fn failed(&self, candidate: &Candidate, error: &ProviderError) {
        let mut candidates = self.candidates.lock().expect("the lock is never poisoned");
        let state = candidates.entry(candidate.name()).or_default();
        match error {
            ProviderError::RateLimited { wait, .. } => state.until = Some(Instant::now() + wait.unwrap_or(DEFAULT_COOLDOWN)),
            ProviderError::Unavailable(_) | ProviderError::Truncated(_) => {
                state.failures += 1;
                if state.failures >= FAILURE_THRESHOLD {
                    state.until = Some(Instant::now() + DEFAULT_COOLDOWN);
                }
            }
            // The candidate works.
            ProviderError::ContentFiltered(_) | ProviderError::InvalidRequest(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Task, candidates};

    fn names(task: Task, step: &[&str], tenant: Option<&[&str]>, env: &[&str]) -> Result<Vec<String>, String> {
        let texts = |of: &[&str]| of.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let settings = nofx_shared::settings::Models { order: texts(env), ..Default::default() };
        let tenant = tenant.map(texts);
        Ok(candidates(task, &texts(step), tenant.as_ref(), &settings)?.iter().map(super::Candidate::name).collect())
    }

    #[test]
    fn the_step_comes_before_the_tenant_and_the_tenant_before_the_environment() {
        assert!(names(Task::Codegen, &[], None, &[]).expect("an order")[0].starts_with("openai/"));
        assert!(names(Task::Reasoning, &[], None, &[]).expect("an order")[0].starts_with("anthropic/"));
        assert!(names(Task::Docs, &[], None, &[]).expect("an order")[0].starts_with("gemini/"));
        assert_eq!(names(Task::Docs, &[], None, &["openai/x"]), Ok(vec!["openai/x".to_owned()]));
        assert_eq!(names(Task::Docs, &[], Some(&["anthropic/y"]), &["openai/x"]), Ok(vec!["anthropic/y".to_owned()]));
        assert_eq!(names(Task::Docs, &["gemini/a/b"], Some(&["anthropic/y"]), &[]), Ok(vec!["gemini/a/b".to_owned()]));
        assert!(names(Task::Docs, &["unknown"], None, &[]).is_err() && names(Task::Docs, &["compatible"], None, &[]).is_err());
    }
}
