//! The response of a model, with what it used and cost.

use nofx_shared::models::{ModelCallResult, ReplayedResponse};
use nofx_shared::secrets::Mask;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::candidates::Candidate;
use super::chat::{Completion, Usage};
use super::price;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModelResponse {
    pub text: String,
    pub provider: String,
    pub model: String,
    pub usage: Usage,
    pub cost_usd: Option<f64>,
    /// Whether it is the response of an earlier call of the run.
    pub is_replay: bool,
    /// The call's parameters for the step's provenance; none for a replay.
    pub parameters: Option<Value>,
}

impl ModelResponse {
    /// What a candidate responded.
    pub(super) fn new(candidate: &Candidate, completion: Completion) -> Self {
        let Completion { text, usage } = completion;
        Self {
            text,
            provider: candidate.provider.name.to_owned(),
            model: candidate.model.clone(),
            usage,
            cost_usd: price::of(candidate.provider.name, &candidate.model).map(|price| price.cost_usd(&usage)),
            is_replay: false,
            parameters: None,
        }
    }

    /// The response of an earlier call of the run: it was paid for then.
    pub(super) fn replay(known: ReplayedResponse) -> Self {
        Self {
            text: known.response,
            provider: known.provider,
            model: known.model,
            usage: Usage::default(),
            cost_usd: Some(0.0),
            is_replay: true,
            parameters: None,
        }
    }

    /// Writes it into the record of the call.
    pub(super) fn put_into(&self, result: &mut ModelCallResult, mask: &Mask) {
        (result.provider, result.model) = (Some(self.provider.clone()), Some(self.model.clone()));
        (result.input_tokens, result.cached_tokens) = (self.usage.input_tokens, self.usage.cached_tokens);
        (result.output_tokens, result.reasoning_tokens) = (self.usage.output_tokens, self.usage.reasoning_tokens);
        (result.cost_usd, result.response) = (self.cost_usd, Some(mask.apply(&self.text)));
    }
}
