//! The handler: prompt → model → files → diff and bill of materials.

use std::time::Duration;

use nofx_shared::crypto::digest;
use nofx_shared::engine::{Failure, Outcome};
use nofx_shared::storage::Content;
use schemars::JsonSchema;
use serde_json::json;

use super::inputs::Inputs;
use super::{files, prompt};
use crate::handlers::Handler;
use crate::models::{ModelRequest, Task};
use crate::sbom::Bom;
use crate::step::StepContext;
use crate::workspace::Trees;

/// Has a model write files into the workspace, from a prompt, a topic with bullets, or a template.
///
/// The files are written below the workspace and nowhere else. The diff is the artifact `codegen.diff` and `outputs.diff`; its sources
/// are in its provenance and in `sbom.cdx.json`. A repeated request within a run is replayed from its record, so that a retry pays for
/// nothing twice. The provider's key is a secret of the tenant (see docs/models.md).
#[derive(JsonSchema)]
pub(in crate::handlers) struct Codegen;

/// Timeout of one model.
const MODEL_TIMEOUT: Duration = Duration::from_secs(180);
/// Limit of the diff in the outputs; the artifact has all of it.
const DIFF_BYTES: usize = 64 << 10;

impl Handler for Codegen {
    const TOOL: &'static str = "codegen";
    const TIMEOUT_S: u64 = 900;
    type Inputs = Inputs;

    async fn run(step: &StepContext, inputs: Inputs) -> Result<Outcome, Failure> {
        let folder = step.workspace().await?;
        let path = inputs.path.clone().or_else(|| inputs.topic.as_ref().map(|_| "README.md".to_owned()));
        // Before a model is paid.
        step.git(&folder).check().await?;
        let (system, prompt) = prompt::compose(&folder, &inputs, path.as_deref()).await?;
        let request = ModelRequest {
            task: inputs.task.unwrap_or_else(|| if inputs.topic.is_some() { Task::Docs } else { Task::Codegen }),
            system: Some(system),
            prompt,
            // One file is the response itself; several files come as JSON.
            schema: path.is_none().then(files::schema),
            max_tokens: inputs.max_tokens.unwrap_or(8192),
            timeout: MODEL_TIMEOUT,
            order: inputs.order,
        };
        let response = step.ask(request).await?;
        let files = match &path {
            Some(path) => vec![files::File::plain(path, &response.text)],
            None => files::read(&response.text)?,
        };
        // All files are checked before the first is written.
        files::check(&files, &inputs.only)?;
        let trees = Trees::new(step.caller(), &folder).await?;
        let before = trees.take().await?;
        files::write(&folder, &files).await?;
        let after = trees.take().await?;
        let diff = trees.diff(&before, &after).await?;

        let text = step.mask.apply(&diff).into_bytes();
        let sum = digest(&text);
        let (diff_path, diff_id) =
            step.save_with("codegen.diff", "text/x-diff; charset=utf-8", Content::Bytes(text.into()), &sum, vec![]).await?;
        let mut bom = Bom::default();
        files.iter().for_each(|file| bom.add_file(&file.path, file.content.as_bytes()));
        bom.add_model(&response.provider, &response.model);
        let sbom_faults = bom.save(step, &folder).await?;
        let shown: String = step.mask.apply(&diff).chars().take(DIFF_BYTES).collect();
        Ok(Outcome::Done {
            outputs: json!({
                "paths": files.iter().map(|file| &file.path).collect::<Vec<_>>(), "changed": before != after, "diff": shown,
                "diff_path": diff_path, "artifacts": {"codegen.diff": diff_id}, "provider": response.provider, "model": response.model,
                "input_tokens": response.usage.input_tokens, "output_tokens": response.usage.output_tokens, "cost_usd": response.cost_usd,
                "replayed": response.is_replay,
                "sbom_faults": sbom_faults,
            }),
        })
    }
}
