use std::collections::BTreeMap;

use super::Reader;

/// The models to call when neither the tenant nor the step names any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Models {
    /// `LLM_ORDER`: `provider` or `provider/model`, comma-separated, the first choice first; for every task. When not set: codegen asks
    /// OpenAI first, reasoning Anthropic, docs Gemini.
    pub order: Vec<String>,
    /// `OPENAI_BASE_URL`, `ANTHROPIC_BASE_URL`, `GEMINI_BASE_URL`, `COMPATIBLE_BASE_URL`: other places than the providers' own; the
    /// last is any API that is compatible with OpenAI's.
    pub base_urls: BTreeMap<String, String>,
}

impl Reader {
    pub(super) fn models(&mut self) -> Models {
        let order = self.text("LLM_ORDER").unwrap_or_default();
        let named = [
            ("openai", "OPENAI_BASE_URL"),
            ("anthropic", "ANTHROPIC_BASE_URL"),
            ("gemini", "GEMINI_BASE_URL"),
            ("compatible", "COMPATIBLE_BASE_URL"),
        ];
        let base_urls = named.into_iter().filter_map(|(provider, name)| Some((provider.to_owned(), self.url(name)?))).collect();
        Models { order: order.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect(), base_urls }
    }
}
