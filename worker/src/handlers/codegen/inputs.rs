//! The inputs of `codegen`. How they become a prompt is not here: see `prompt`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::models::Task;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::handlers) struct Inputs {
    /// What to write, in words.
    pub prompt: Option<String>,
    /// The topic of a document; with `bullets`, instead of a prompt.
    pub topic: Option<String>,
    /// Points that the document must cover.
    #[serde(default)]
    pub bullets: Vec<String>,
    /// A file of the workspace whose structure the response must follow.
    pub template: Option<String>,
    /// The file to write; default: `README.md` for a topic, otherwise the model names the files.
    pub path: Option<String>,
    /// Files of the workspace that the model sees, 64 KiB each at most.
    #[serde(default)]
    pub context: Vec<String>,
    /// Files that may be written, by the start of their paths; default: any.
    #[serde(default)]
    pub only: Vec<String>,
    /// `codegen` (default; `docs` for a topic), `reasoning` or `docs`: selects the models.
    pub task: Option<Task>,
    /// Models to call, the first choice first: `openai`, `anthropic/claude-sonnet-4-6`, ….
    #[serde(default)]
    pub order: Vec<String>,
    /// Longest response in tokens; default: 8,192.
    pub max_tokens: Option<u32>,
}
