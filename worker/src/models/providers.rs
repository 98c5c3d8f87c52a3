//! The list of providers.

use genai::adapter::AdapterKind;

/// A provider with its defaults.
pub(super) struct Provider {
    pub name: &'static str,
    /// Its wire format.
    pub adapter: AdapterKind,
    /// None: the operator must set it.
    pub base_url: Option<&'static str>,
    /// The name of the secret with its key.
    pub secret: &'static str,
    pub model: &'static str,
}

/// The one list of providers.
pub(super) const PROVIDERS: &[Provider] = &[
    Provider {
        name: "openai",
        adapter: AdapterKind::OpenAI,
        base_url: Some("https://api.openai.com/v1"),
        secret: "OPENAI_API_KEY",
        model: "gpt-5",
    },
    Provider {
        name: "anthropic",
        adapter: AdapterKind::Anthropic,
        base_url: Some("https://api.anthropic.com/v1"),
        secret: "ANTHROPIC_API_KEY",
        model: "claude-sonnet-4-6",
    },
    Provider {
        name: "gemini",
        adapter: AdapterKind::Gemini,
        base_url: Some("https://generativelanguage.googleapis.com/v1beta"),
        secret: "GEMINI_API_KEY",
        model: "gemini-2.5-pro",
    },
    Provider { name: "compatible", adapter: AdapterKind::OpenAI, base_url: None, secret: "COMPATIBLE_API_KEY", model: "default" },
];
