//! The candidates of a model call, in order. Which of them can be called now is not here: see `cooldown`.

use nofx_shared::settings;

use super::providers::{PROVIDERS, Provider};
use super::task::Task;

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

#[cfg(test)]
mod tests {
    use super::{Candidate, Task, candidates};

    fn names(task: Task, step: &[&str], tenant: Option<&[&str]>, env: &[&str]) -> Result<Vec<String>, String> {
        let texts = |of: &[&str]| of.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let settings = nofx_shared::settings::Models { order: texts(env), ..Default::default() };
        let tenant = tenant.map(texts);
        Ok(candidates(task, &texts(step), tenant.as_ref(), &settings)?.iter().map(Candidate::name).collect())
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
