use nofx_shared::engine::{Failure, Outcome};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::checkout::{check_branch, checkout, current_branch, git};
use super::credentials::{credentials, token};
use crate::handlers::Handler;
use crate::step::StepContext;
use crate::workspace::of_others;

/// Pushes the branch that is checked out to the repository of the plan. The token is the secret that the step names; it is in no URL and in no
/// file. The repository's default branch is not pushed to: open a pull request. A retry pushes the same again, which changes nothing.
#[derive(JsonSchema)]
pub(in crate::handlers) struct Push;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::handlers) struct Inputs {
    /// Name of the remote branch; default: the same as the local one.
    branch: Option<String>,
    /// The step's secret that is the token; default: the first.
    token_secret: Option<String>,
}

impl Handler for Push {
    const TOOL: &'static str = "git:push";
    const TIMEOUT_S: u64 = 300;
    type Inputs = Inputs;

    async fn run(step: &StepContext, inputs: Inputs) -> Result<Outcome, Failure> {
        let folder = checkout(step).await?;
        let mut git = git(step, &folder);
        let branch = match inputs.branch {
            Some(branch) => branch,
            None => current_branch(&git).await?,
        };
        check_branch(&git, &branch).await?;
        let source = step.step.workspace.as_ref().ok_or_else(|| Failure::permanent("the plan has no `workspace` to push to"))?;
        let default = git.try_run(&["symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"]).await?.stdout;
        if default.trim().strip_prefix("origin/") == Some(branch.as_str()) {
            return Err(Failure::permanent(format!(
                "`{branch}` is the repository's default branch; push another branch and open a pull request"
            )));
        }
        git.env.extend(credentials(&source.git, token(step, inputs.token_secret.as_deref())));
        let target = format!("HEAD:refs/heads/{branch}");
        let result = git
            .try_run(
                &[&["push", "--quiet", "--no-verify"], of_others("--receive-pack", &source.git), &["--", &source.git, &target]].concat(),
            )
            .await?;
        if result.exit_code != Some(0) {
            let text = step.mask.apply(result.output.trim());
            let refused = ["rejected", "denied", "Authentication failed", "could not read Username"].iter().any(|word| text.contains(word));
            let message = format!("git push failed: {text}");
            return Err(if refused { Failure::permanent(message) } else { Failure::transient(message) });
        }
        Ok(Outcome::Done { outputs: json!({"branch": branch, "commit": git.head().await?}) })
    }
}
