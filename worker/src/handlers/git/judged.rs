//! Whether what a step is about to publish was judged, where its tenant's policy requires gates: a verdict counts for the tree that it judged,
//! and for no other one. The database decides; here is only which trees are published.

use nofx_shared::db;
use nofx_shared::engine::Failure;
use nofx_shared::gates::{Missing, TreeVerdicts, check_verdicts};

use crate::step::StepContext;
use crate::workspace::Git;

/// Names of refs that one call passes: a remote may have any number.
const REFS: usize = 2000;

/// Fails when a tree has no verdict that the policy requires; says whether it requires any.
pub(super) async fn check_judged(step: &StepContext, trees: &[String]) -> Result<TreeVerdicts, Failure> {
    let checked = step.retry_until_stopped(|| check_verdicts(&step.services.db, &step.step, trees), db::Error::is_permanent).await;
    let checked = checked.map_err(|error| Failure::transient(format!("verdicts could not be read: {error}")))?;
    match checked.ok_or_else(Failure::lease_expired)? {
        TreeVerdicts { missing: Some(Missing { tree, gates }), .. } => Err(Failure::permanent(format!(
            "the policy for {} requires {} to have passed for what is published, and the tree {tree} was not judged by them: let the gates run \
             after the last change, and publish no more and no less than they judged",
            step.step.tool,
            gates.join(" and ")
        ))),
        verdicts => Ok(verdicts),
    }
}

/// The trees of the commits that the remote does not have: neither in a branch, nor the one that the run began with.
pub(super) async fn trees_to_publish(git: &Git<'_>, commit: &str, remote: &str, pinned: Option<&str>) -> Result<Vec<String>, Failure> {
    let known = remote.lines().filter_map(|line| line.split('\t').next()).filter(|name| is_name(name)).take(REFS).chain(pinned);
    let known: Vec<String> = known.map(|name| format!("^{name}")).collect();
    // What this repository does not have is no part of what is pushed.
    let mut arguments = vec!["rev-list", "--ignore-missing", "--no-commit-header", "--format=%T", commit];
    arguments.extend(known.iter().map(String::as_str));
    let printed = git.run(&arguments).await?;
    let mut trees: Vec<String> = printed.lines().map(str::to_owned).collect();
    trees.sort_unstable();
    trees.dedup();
    Ok(trees)
}

fn is_name(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::trees_to_publish;
    use crate::drivers::Processes;
    use crate::workspace::{Caller, Folder, Git};

    #[tokio::test]
    async fn each_commit_that_the_remote_lacks_is_published() {
        let dir = tempfile::tempdir().expect("a folder");
        let processes = Processes::own();
        let folder = Folder::new(&processes, dir.path().to_owned()).expect("it is there");
        let git = Git::new(Caller::person(&processes, &CancellationToken::new()), &folder);
        git.run(&["init", "--quiet"]).await.expect("a repository");
        let (mut commits, mut trees) = (vec![], vec![]);
        for n in 0..4 {
            std::fs::write(dir.path().join("file"), n.to_string()).expect("written");
            git.run(&["add", "--all"]).await.expect("added");
            git.run(&["-c", "user.name=a", "-c", "user.email=a@a", "commit", "--quiet", "--message", "x"]).await.expect("a commit");
            commits.push(git.head().await.expect("read").expect("a commit"));
            trees.push(git.run(&["rev-parse", "HEAD^{tree}"]).await.expect("read").trim().to_owned());
        }
        let missing = "f".repeat(40);
        let remote = format!("ref: refs/heads/main\tHEAD\n{}\tHEAD\n{missing}\trefs/heads/other\n", commits[0]);
        let sorted = |trees: &[String]| {
            let mut trees = trees.to_vec();
            trees.sort();
            trees
        };
        let found = trees_to_publish(&git, &commits[3], &remote, None).await.expect("listed");
        assert_eq!(found, sorted(&trees[1..]), "also those between");
        let found = trees_to_publish(&git, &commits[3], &remote, Some(&commits[2])).await.expect("listed");
        assert_eq!(found, sorted(&trees[3..]));
        let found = trees_to_publish(&git, &commits[0], &remote, None).await.expect("listed");
        assert!(found.is_empty(), "the remote has it");
    }
}
