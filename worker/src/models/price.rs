//! Prices of models: a table with a version, in the repository. A model that is not in it has no price.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::candidates::Candidate;
use super::chat::Usage;

#[derive(Deserialize)]
struct Table {
    version: String,
    models: BTreeMap<String, Price>,
}

/// USD for a million tokens.
#[derive(Clone, Copy, Deserialize)]
pub(super) struct Price {
    input: f64,
    cached: f64,
    output: f64,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| serde_json::from_str(include_str!("prices.json")).expect("a test reads it"));

/// The table's version.
pub(super) fn version() -> &'static str {
    &TABLE.version
}

pub(super) fn of(provider: &str, model: &str) -> Option<Price> {
    TABLE.models.get(&format!("{provider}/{model}")).copied()
}

/// The highest cost of a call; none when a candidate has no price.
pub(super) fn max_cost_usd(candidates: &[Candidate], input_tokens: u64, output_tokens: u64) -> Option<f64> {
    // The most expensive candidate may be the one that responds.
    let prices: Option<Vec<f64>> = candidates
        .iter()
        .map(|one| of(one.provider.name, &one.model).map(|price| price.max_cost_usd(input_tokens, output_tokens)))
        .collect();
    prices.map(|prices| prices.into_iter().fold(0.0, f64::max))
}

impl Price {
    pub(super) fn cost_usd(&self, usage: &Usage) -> f64 {
        let fresh = usage.input_tokens.saturating_sub(usage.cached_tokens);
        (fresh as f64 * self.input + usage.cached_tokens as f64 * self.cached + usage.output_tokens as f64 * self.output) / 1e6
    }

    /// The maximum cost of this many tokens.
    fn max_cost_usd(&self, input_tokens: u64, output_tokens: u64) -> f64 {
        (input_tokens as f64 * self.input + output_tokens as f64 * self.output) / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::super::chat::Usage;
    use super::super::providers::PROVIDERS;

    #[test]
    fn cached_input_is_cheaper_and_unknown_models_have_no_price() {
        let price = super::of("openai", "gpt-5").expect("a price");
        let usage = Usage { input_tokens: 1_000_000, cached_tokens: 400_000, output_tokens: 100_000, reasoning_tokens: 50_000 };
        assert!((price.cost_usd(&usage) - (0.75 + 0.05 + 1.0)).abs() < 1e-9);
        assert!(super::of("openai", "unknown").is_none() && !super::version().is_empty());
        for provider in PROVIDERS.iter().filter(|provider| provider.base_url.is_some()) {
            assert!(super::of(provider.name, provider.model).is_some(), "{} has no price", provider.model);
        }
    }
}
