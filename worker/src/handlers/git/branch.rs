use nofx_shared::engine::{Failure, Outcome};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::checkout::{check_branch, checkout, git};
use crate::handlers::Handler;
use crate::step::StepContext;

/// Creates a branch in the run's checkout and checks it out; an existing one is checked out.
#[derive(JsonSchema)]
pub(in crate::handlers) struct Branch;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::handlers) struct Inputs {
    /// Name of the branch.
    name: String,
    /// Start point: a branch, tag or commit; default: the current commit.
    from: Option<String>,
}

impl Handler for Branch {
    const TOOL: &'static str = "git:branch";
    const TIMEOUT_S: u64 = 120;
    type Inputs = Inputs;

    async fn run(step: &StepContext, inputs: Inputs) -> Result<Outcome, Failure> {
        let folder = checkout(step).await?;
        let git = git(step, &folder);
        check_branch(&git, &inputs.name).await?;
        let is_there =
            git.try_run(&["show-ref", "--verify", "--quiet", &format!("refs/heads/{}", inputs.name)]).await?.exit_code == Some(0);
        if is_there {
            git.run(&["switch", "--quiet", &inputs.name]).await?;
        } else if let Some(from) = &inputs.from {
            let start = match git.commit(&format!("origin/{from}")).await? {
                Some(commit) => Some(commit),
                None => git.commit(from).await?,
            };
            let start = start.ok_or_else(|| Failure::permanent(format!("`{from}` is not a branch, tag or commit")))?;
            git.run(&["switch", "--quiet", "--create", &inputs.name, &start]).await?;
        } else {
            git.run(&["switch", "--quiet", "--create", &inputs.name]).await?;
        }
        Ok(Outcome::Done { outputs: json!({"branch": inputs.name, "commit": git.head().await?}) })
    }
}
