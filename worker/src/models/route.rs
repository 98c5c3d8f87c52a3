//! Whom to ask, in which order, and what to do when one does not answer. The one retry loop: providers are never asked twice elsewhere.
//!
//! A deployment that is busy or fails cools down for everybody; the next candidate is asked meanwhile. When all cool down, the first to
//! be free again is waited for, as long as the step has time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::provider::{PROVIDERS, Provider, ProviderError};
use nofx_shared::settings;

/// Questions to one provider at once.
const AT_ONCE: usize = 16;
/// How long a deployment cools down that says nothing else.
const COOLDOWN: Duration = Duration::from_secs(5);
/// Failures in a row that cool a deployment down.
const FAILURES: u32 = 3;

/// What is asked for.
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

/// The candidates of a task: what the step says, else the tenant, else `LLM_ORDER`, else what fits the task.
pub(super) fn order(
    task: Task,
    step: &[String],
    tenant: Option<&Vec<String>>,
    settings: &settings::Models,
) -> Result<Vec<Candidate>, String> {
    let said = [step, tenant.map(Vec::as_slice).unwrap_or_default(), &settings.order].into_iter().find(|order| !order.is_empty());
    match said {
        Some(order) => order.iter().map(|text| Candidate::read(text, settings)).collect(),
        None => task.providers().iter().map(|name| Candidate::read(name, settings)).collect(),
    }
}

/// What all steps of the worker know of the deployments.
#[derive(Default)]
pub(super) struct Cooldowns {
    deployments: Mutex<HashMap<String, State>>,
    turns: Mutex<HashMap<&'static str, Arc<Semaphore>>>,
}

#[derive(Clone, Copy, Default)]
struct State {
    failures: u32,
    until: Option<Instant>,
}

impl Cooldowns {
    /// A place among the questions to a provider.
    pub(super) fn turns(&self, provider: &'static str) -> Arc<Semaphore> {
        let mut turns = self.turns.lock().expect("the lock is never poisoned");
        Arc::clone(turns.entry(provider).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE))))
    }

    /// Until when a deployment cools down.
    pub(super) fn cools_until(&self, candidate: &Candidate) -> Option<Instant> {
        let deployments = self.deployments.lock().expect("the lock is never poisoned");
        deployments.get(&candidate.name())?.until.filter(|until| *until > Instant::now())
    }

    pub(super) fn answered(&self, candidate: &Candidate) {
        self.deployments.lock().expect("the lock is never poisoned").remove(&candidate.name());
    }

    pub(super) fn troubled(&self, candidate: &Candidate, trouble: &ProviderError) {
        let mut deployments = self.deployments.lock().expect("the lock is never poisoned");
        let state = deployments.entry(candidate.name()).or_default();
        match trouble {
            ProviderError::Busy { wait, .. } => state.until = Some(Instant::now() + wait.unwrap_or(COOLDOWN)),
            ProviderError::Broken(_) | ProviderError::Cut(_) => {
                state.failures += 1;
                if state.failures >= FAILURES {
                    state.until = Some(Instant::now() + COOLDOWN);
                }
            }
            // The deployment is well.
            ProviderError::Declined(_) | ProviderError::Wrong(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Task, order};

    fn names(task: Task, step: &[&str], tenant: Option<&[&str]>, env: &[&str]) -> Result<Vec<String>, String> {
        let texts = |of: &[&str]| of.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let settings = nofx_shared::settings::Models { order: texts(env), ..Default::default() };
        let tenant = tenant.map(texts);
        Ok(order(task, &texts(step), tenant.as_ref(), &settings)?.iter().map(super::Candidate::name).collect())
    }

    #[test]
    fn the_step_comes_before_the_tenant_and_the_tenant_before_the_environment() {
        assert!(names(Task::Codegen, &[], None, &[]).expect("an order")[0].starts_with("openai/"));
        assert!(names(Task::Reasoning, &[], None, &[]).expect("an order")[0].starts_with("anthropic/"));
        assert!(names(Task::Docs, &[], None, &[]).expect("an order")[0].starts_with("gemini/"));
        assert_eq!(names(Task::Docs, &[], None, &["openai/x"]), Ok(vec!["openai/x".to_owned()]));
        assert_eq!(names(Task::Docs, &[], Some(&["anthropic/y"]), &["openai/x"]), Ok(vec!["anthropic/y".to_owned()]));
        assert_eq!(names(Task::Docs, &["gemini/a/b"], Some(&["anthropic/y"]), &[]), Ok(vec!["gemini/a/b".to_owned()]));
        assert!(names(Task::Docs, &["nobody"], None, &[]).is_err() && names(Task::Docs, &["compatible"], None, &[]).is_err());
    }
}
