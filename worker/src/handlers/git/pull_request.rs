use nofx_shared::engine::{Failure, Outcome};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::checkout::{checkout, current_branch, git};
use super::credentials::token;
use super::forge::{Forge, NewPullRequest};
use super::judged::check_judged;
use crate::handlers::Handler;
use crate::step::StepContext;

/// Opens a pull request on GitHub or Bitbucket for the branch that was pushed. A retry finds the pull request that is already open and does
/// not open another. The token is the secret that the step names. Waits for an approval unless the tenant's policy says otherwise.
#[derive(JsonSchema)]
#[schemars(rename = "PullRequest")]
pub(in crate::handlers) struct PullRequest;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::handlers) struct Inputs {
    title: String,
    #[serde(default)]
    body: String,
    /// The branch to merge into; default: the repository's default branch.
    base: Option<String>,
    /// The branch to merge; default: the one that is checked out.
    head: Option<String>,
    #[serde(default)]
    draft: bool,
    /// `github` or `bitbucket`; default: detected from the repository's address.
    forge: Option<Forge>,
    /// `owner/name`; default: taken from the repository's address.
    repository: Option<String>,
    /// The step's secret that is the token; default: the first.
    token_secret: Option<String>,
}

impl Handler for PullRequest {
    const TOOL: &'static str = "git:pr";
    const TIMEOUT_S: u64 = 120;
    type Inputs = Inputs;

    async fn run(step: &StepContext, inputs: Inputs) -> Result<Outcome, Failure> {
        let folder = checkout(step).await?;
        let git = git(step, &folder);
        let address = step.step.workspace.as_ref().map(|source| source.git.as_str()).unwrap_or_default();
        let forge = inputs.forge.or_else(|| Forge::of(address));
        let forge = forge.ok_or_else(|| Failure::permanent(format!("{address} is neither on GitHub nor on Bitbucket; set `forge`")))?;
        let repository = repository(inputs.repository, address)?;
        let missing = || Failure::permanent("add the secret that holds the token to the step's `secrets`");
        let token = token(step, inputs.token_secret.as_deref()).ok_or_else(missing)?;
        let (tree, own) = (git.run(&["rev-parse", "--verify", "HEAD^{tree}"]).await?, current_branch(&git).await);
        let verdicts = check_judged(step, &[tree.trim().to_owned()]).await?;
        let head = match (inputs.head, own) {
            (Some(head), Ok(own)) if verdicts.is_required && head != own => {
                return Err(Failure::permanent(format!(
                    "gates judged `{own}`, which is checked out; `{head}` cannot be merged by this step"
                )));
            }
            (Some(head), _) => head,
            (None, own) => own?,
        };
        let base = match inputs.base {
            Some(base) => base,
            None => {
                let default = git.try_run(&["symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"]).await?.stdout;
                default.trim().strip_prefix("origin/").unwrap_or("main").to_owned()
            }
        };
        let new = NewPullRequest { repository, head, base, title: inputs.title, body: inputs.body, draft: inputs.draft };
        let (pull_request, is_new) = forge.open(&step.services.forges, token, &new).await?;
        Ok(Outcome::Done {
            outputs: json!({"number": pull_request.number, "url": pull_request.url, "opened": is_new, "head": new.head, "base": new.base}),
        })
    }
}

/// The repository that the workspace is from. Only one without a forge in its address is named by the plan.
fn repository(asked: Option<String>, address: &str) -> Result<String, Failure> {
    let of_address = name_in(address).filter(|name| is_name(name));
    match (asked, of_address) {
        (Some(asked), Some(own)) if !asked.eq_ignore_ascii_case(&own) => {
            Err(Failure::permanent(format!("the workspace is from {own}: a pull request for {asked} is none of this run")))
        }
        (asked, own) => asked.or(own).filter(|name| is_name(name)).ok_or_else(|| Failure::permanent("set `repository` to owner/name")),
    }
}

/// `owner/name` of `https://host/owner/name.git` or `git@host:owner/name.git`.
fn name_in(address: &str) -> Option<String> {
    let path = match address.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        None => address.split_once(':')?.1,
    };
    Some(path.trim_end_matches('/').trim_end_matches(".git").to_owned())
}

fn is_name(text: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && !part.starts_with('.') && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    text.split_once('/').is_some_and(|(owner, name)| is_part(owner) && is_part(name))
}

#[cfg(test)]
mod tests {
    use super::{is_name, name_in, repository};

    #[test]
    fn a_pull_request_is_for_the_repository_that_the_workspace_is_from() {
        let of = |asked: Option<&str>, address| repository(asked.map(str::to_owned), address).ok();
        let address = "https://github.com/acme/web.git";
        assert_eq!(of(None, address).as_deref(), Some("acme/web"));
        assert_eq!(of(Some("Acme/Web"), address).as_deref(), Some("Acme/Web"));
        assert_eq!(of(Some("acme/other"), address), None);
        assert_eq!(of(Some("acme/web"), "/srv/web.git").as_deref(), Some("acme/web"), "a path names none");
        assert_eq!(of(None, "/srv/web.git"), None);
    }

    #[test]
    fn repositories_are_named_by_their_addresses() {
        for address in ["https://github.com/acme/web.git", "git@github.com:acme/web.git", "https://x@github.com/acme/web/"] {
            assert_eq!(name_in(address).as_deref(), Some("acme/web"), "{address}");
        }
        assert!(is_name("acme/web.js") && !is_name("acme") && !is_name("acme/../x") && !is_name("acme/web?x=1") && !is_name("a/b/c"));
    }
}
