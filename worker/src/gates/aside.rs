//! A repository beside the workspace that has its objects and none of what steps of the run may have written to steer git: settings,
//! attributes, replacements, grafts. Changes are compared there, with the attributes of the base, so that a change cannot say of itself that
//! it is generated, binary or none.

use std::collections::BTreeMap;

use nofx_shared::engine::Failure;
use nofx_shared::gates::BaseFrom;

use super::context::GateContext;
use crate::drivers::Scratch;
use crate::workspace::{Caller, Folder, Git, of_others};

pub(super) struct Aside<'a> {
    git: Git<'a>,
    _scratch: Scratch,
}

/// The commit that changes are compared with.
pub(super) struct Base {
    pub commit: String,
    pub from: BaseFrom,
}

/// The ref of the base in the repository aside.
const BASE: &str = "refs/nofx/base";

impl<'a> Aside<'a> {
    /// Of a workspace that is a repository.
    pub(super) async fn new(context: &GateContext<'_>, folder: &'a Folder, caller: Caller) -> Result<Self, Failure> {
        let theirs = context.git(folder);
        let printed = theirs.run(&["rev-parse", "--path-format=absolute", "--show-object-format", "--git-path", "objects"]).await?;
        let mut printed = printed.lines();
        let (format, objects) = (printed.next().unwrap_or("sha1"), printed.next().unwrap_or_default());
        let scratch = caller.processes.scratch(Some(folder.path())).await?;
        let mut git = Git::new(caller, folder);
        let own = scratch.path().join("aside.git").to_string_lossy().into_owned();
        git.env = BTreeMap::from(
            [
                ("GIT_DIR", own.as_str()),
                ("GIT_ALTERNATE_OBJECT_DIRECTORIES", objects),
                ("GIT_CONFIG_GLOBAL", "/dev/null"),
                ("GIT_ATTR_NOSYSTEM", "1"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        git.run(&["init", "--quiet", "--bare", "--template=", "--object-format", format]).await?;
        Ok(Self { git, _scratch: scratch })
    }

    /// Git in it, with the attributes of a commit and no others.
    pub(super) async fn run(&self, attributes_of: &str, arguments: &[&str]) -> Result<String, Failure> {
        let source = format!("--attr-source={attributes_of}");
        self.git.run(&[["-c", "core.attributesFile=/dev/null", &source].as_slice(), arguments].concat()).await
    }

    /// The paths of all files of a tree or a commit.
    pub(super) async fn files(&self, tree: &str) -> Result<Vec<String>, Failure> {
        self.git.files(tree).await
    }

    /// The commit where the history of `head` left a branch, tag or commit of the plan's repository, which is asked for it; none when it
    /// cannot say. Without a name it is the default branch.
    pub(super) async fn remote_base(&self, url: &str, named: Option<&str>, head: Option<&str>) -> Result<Option<Base>, Failure> {
        if let Some(head) = head {
            // What is there already is not fetched again.
            self.git.run(&["update-ref", "refs/nofx/here", head]).await?;
        }
        let name = named.unwrap_or("HEAD");
        if name.starts_with('-') || name.contains([':', '*']) {
            return Ok(None);
        }
        let refspec = format!("+{name}:{BASE}");
        let fetch = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"];
        let fetched = self.git.try_run(&[fetch.as_slice(), of_others("--upload-pack", url), &["--", url, &refspec]].concat()).await?;
        if fetched.exit_code != Some(0) {
            return Ok(None);
        }
        let merged = match head {
            Some(head) => self.git.try_run(&["merge-base", BASE, head]).await?,
            // Without a commit, all files are new since the base.
            None => self.git.try_run(&["rev-parse", "--verify", "--quiet", BASE]).await?,
        };
        let commit = merged.stdout.trim().to_owned();
        Ok((merged.exit_code == Some(0) && !commit.is_empty()).then_some(Base { commit, from: BaseFrom::Remote }))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use nofx_shared::gates::BaseFrom;
    use nofx_shared::secrets::Mask;
    use tokio_util::sync::CancellationToken;

    use super::super::context::{GateContext, Runner};
    use super::Aside;
    use crate::drivers::Processes;
    use crate::workspace::{Caller, Folder, Git};

    /// A folder with git in it.
    async fn run(processes: &Processes, dir: &Path, commands: &[&[&str]]) -> Folder {
        let folder = Folder::new(processes, dir.to_owned()).expect("it is there");
        let git = Git::new(Caller::person(processes, &CancellationToken::new()), &folder);
        for command in commands {
            git.run(&[["-c", "user.name=a", "-c", "user.email=a@a", "-c", "init.defaultBranch=main"].as_slice(), command].concat())
                .await
                .expect("git");
        }
        folder
    }

    #[tokio::test]
    async fn what_steps_wrote_to_steer_git_has_no_effect() {
        let (processes, stop, env, mask) = (Processes::own(), CancellationToken::new(), BTreeMap::new(), Mask::default());
        let (origin, clone) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        std::fs::write(origin.path().join("a.py"), "x = 1\n").expect("written");
        let first: &[&[&str]] = &[&["init", "--quiet"], &["add", "--all"], &["commit", "--quiet", "--message", "one"]];
        let theirs = run(&processes, origin.path(), first).await;
        let published = Git::new(Caller::person(&processes, &stop), &theirs).head().await.expect("read").expect("a commit");
        let url = origin.path().to_string_lossy().into_owned();
        run(&processes, clone.path(), &[&["clone", "--quiet", &url, "."]]).await;
        std::fs::write(clone.path().join("a.py"), "x = 1\ny = 2\n").expect("written");
        let hide = "*.py linguist-generated -diff\n";
        std::fs::write(clone.path().join(".gitattributes"), hide).expect("written");
        std::fs::write(clone.path().join(".git/info/attributes"), hide).expect("written");
        let hiding: &[&[&str]] = &[
            &["config", "diff.external", "true"],
            &["config", "diff.noprefix", "true"],
            &["add", "--all"],
            &["commit", "--quiet", "--message", "two"],
            &["update-ref", "refs/remotes/origin/main", "HEAD"],
            &["replace", "HEAD~1", "HEAD"],
        ];
        let workspace = run(&processes, clone.path(), hiding).await;
        let runner = Runner::OnTheSpot { processes: &processes, stop: &stop };
        let context = GateContext { workspace: workspace.clone(), env: &env, mask: &mask, advisory_db: None, runner, begun: None };
        let head = context.git(&workspace).head().await.expect("read").expect("a commit");

        let aside = Aside::new(&context, &workspace, Caller::person(&processes, &stop)).await.expect("a repository");
        let base = aside.remote_base(&url, None, Some(&head)).await.expect("asked").expect("a base");
        assert_eq!((base.commit.as_str(), base.from), (published.as_str(), BaseFrom::Remote));
        let text = aside.run(&base.commit, &["diff", "--no-color", "--unified=0", &base.commit, &head]).await.expect("a diff");
        assert!(text.contains("+++ b/a.py\n@@ -1,0 +2 @@") && text.contains("\n+y = 2\n"), "{text}");
        let attributes = aside.run(&base.commit, &["check-attr", "linguist-generated", "diff", "--", "a.py"]).await.expect("attributes");
        assert_eq!(attributes, "a.py: linguist-generated: unspecified\na.py: diff: unspecified\n");
        assert_eq!(aside.files(&base.commit).await.expect("files"), ["a.py"]);
        for none in ["nowhere", "--upload-pack=touch x", "main:refs/heads/x", "*"] {
            assert!(aside.remote_base(&url, Some(none), Some(&head)).await.expect("asked").is_none(), "{none}");
        }
        assert!(aside.remote_base("/no/such/repository", None, Some(&head)).await.expect("asked").is_none());
    }
}
