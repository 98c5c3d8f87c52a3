use nofx_shared::drivers::Network;
use nofx_shared::engine::{Failure, Outcome};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::checkout::{check_branch, checkout, current_branch, git};
use super::clean::CleanRepository;
use super::credentials::{credentials, token};
use super::judged::{check_judged, trees_to_publish};
use crate::drivers::ProcessResult;
use crate::handlers::Handler;
use crate::step::StepContext;
use crate::workspace::{Git, of_others, variables};

/// Pushes the commit that is checked out to a branch of the plan's repository. The token is the secret that the step names; it is in no URL and
/// in no file, and only git of a clean copy of the history has it, never git of the workspace, whose settings the run's steps may have
/// written. The repository's default branch is not pushed to: open a pull request. A retry pushes the same again, which changes nothing.
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
        let theirs = git(step, &folder);
        let branch = match inputs.branch {
            Some(branch) => branch,
            None => current_branch(&theirs).await?,
        };
        let url = &step.step.workspace.as_ref().ok_or_else(|| Failure::permanent("the plan has no `workspace` to push to"))?.git;
        check_network(step.confinement.network, url)?;
        let commit = theirs.head().await?.filter(|name| is_commit(name)).ok_or_else(|| Failure::permanent("there is no commit to push"))?;

        let clean = CleanRepository::new(step, &commit).await?;
        check_branch(&clean.git(), &branch).await?;
        clean.take(&folder, &commit).await?;
        let mut git = clean.git();
        let mut settings = step.services.workspaces.route(url, &step.caller()).await?;
        settings.extend(credentials(url, token(step, inputs.token_secret.as_deref())));
        git.env.extend(variables(settings));
        // The remote is asked: what the workspace has of its branches the run's steps may have written.
        let list = [&["ls-remote", "--symref"], of_others("--upload-pack", url), &["--", url, "HEAD", "refs/heads/*"]].concat();
        let listed = ask(step, &git, &list).await?.stdout;
        if default_branch(&listed) == Some(branch.as_str()) {
            return Err(Failure::permanent(format!(
                "`{branch}` is the repository's default branch; push another branch and open a pull request"
            )));
        }
        let pinned = step.begun().await?.pinned_commit();
        check_judged(step, &trees_to_publish(&clean.git(), &commit, &listed, pinned).await?).await?;
        let target = format!("{commit}:refs/heads/{branch}");
        let push = ["push", "--quiet", "--no-verify", "--no-recurse-submodules"];
        ask(step, &git, &[&push, of_others("--receive-pack", url), &["--", url, &target]].concat()).await?;
        Ok(Outcome::Done { outputs: json!({"branch": branch, "commit": commit}) })
    }
}

/// A remote that is no folder of this machine needs a network.
fn check_network(network: Network, url: &str) -> Result<(), Failure> {
    if network == Network::None && !url.starts_with('/') {
        return Err(Failure::permanent(
            "`resources.network` of the step is `none`, and it pushes to another machine: say `proxy` or `all`",
        ));
    }
    Ok(())
}

/// Runs a command that asks the remote.
async fn ask(step: &StepContext, git: &Git<'_>, arguments: &[&str]) -> Result<ProcessResult, Failure> {
    let result = git.try_run(arguments).await?;
    if result.exit_code == Some(0) {
        return Ok(result);
    }
    let text = step.mask.apply(result.output.trim());
    let refused = ["rejected", "denied", "Authentication failed", "could not read Username"].iter().any(|word| text.contains(word));
    let message = format!("the push failed: {text}");
    Err(if refused { Failure::permanent(message) } else { Failure::transient(message) })
}

/// Of what `ls-remote --symref` prints: `ref: refs/heads/main`, a tab, `HEAD`.
fn default_branch(listed: &str) -> Option<&str> {
    listed.lines().find_map(|line| line.strip_prefix("ref: refs/heads/")?.strip_suffix("\tHEAD"))
}

fn is_commit(name: &str) -> bool {
    matches!(name.len(), 40 | 64) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use nofx_shared::drivers::Network;

    use super::{check_network, default_branch, is_commit};

    #[test]
    fn a_step_without_a_network_pushes_to_no_other_machine() {
        for url in ["https://h.example/a/b.git", "ssh://git@h.example/a", "git@h.example:a/b"] {
            assert!(check_network(Network::None, url).is_err_and(|failure| !failure.transient), "{url}");
            assert!(check_network(Network::Proxy, url).is_ok() && check_network(Network::All, url).is_ok(), "{url}");
        }
        assert!(check_network(Network::None, "/srv/a.git").is_ok());
    }

    #[test]
    fn the_default_branch_is_what_the_remote_says() {
        assert_eq!(default_branch("ref: refs/heads/a/b\tHEAD\n0123\tHEAD\n"), Some("a/b"));
        for none in ["", "0123\tHEAD\n", "ref: refs/tags/x\tHEAD", "ref: refs/heads/x\trefs/heads/y"] {
            assert_eq!(default_branch(none), None, "{none}");
        }
    }

    #[test]
    fn a_commit_is_a_whole_name() {
        assert!(is_commit(&"a0".repeat(20)) && is_commit(&"a0".repeat(32)));
        for other in ["", "HEAD", "--all", &"g0".repeat(20), &"a0".repeat(19)] {
            assert!(!is_commit(other), "{other}");
        }
    }
}
