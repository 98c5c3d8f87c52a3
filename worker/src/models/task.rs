//! The kinds of work that models are called for.

/// The kind of work: selects the candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
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

    /// The providers to call when no order is set, the first choice first.
    pub(super) fn providers(self) -> [&'static str; 3] {
        match self {
            Self::Codegen => ["openai", "anthropic", "gemini"],
            Self::Reasoning => ["anthropic", "openai", "gemini"],
            Self::Docs => ["gemini", "openai", "anthropic"],
        }
    }
}
