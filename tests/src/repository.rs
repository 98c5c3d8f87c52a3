//! Git repositories of tests, for agents to work on.
#![expect(clippy::disallowed_methods, reason = "runs git")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// A repository in a folder of its own, which goes with it.
pub struct Repository {
    pub dir: PathBuf,
}

impl Repository {
    /// With a first commit on `main` that holds these files.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let dir = std::env::temp_dir().join(format!("nofx-repo-{}", uuid::Uuid::now_v7().simple()));
        std::fs::create_dir(&dir).expect("a folder");
        let repository = Self { dir };
        // Steps push to it as users of their own.
        repository.git(&["init", "-q", "--shared=0666"]);
        repository.git(&["config", "receive.denyNonFastForwards", "false"]);
        repository.commit(files);
        repository
    }

    /// Files that change with a commit; an empty text removes one.
    pub fn commit(&self, files: &[(&str, &str)]) {
        for (path, text) in files {
            let path = self.dir.join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            if text.is_empty() { std::fs::remove_file(path).expect("removed") } else { std::fs::write(path, text).expect("written") }
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "change"]);
    }

    /// Continues on a new branch.
    pub fn branch(&self, name: &str) {
        self.git(&["checkout", "-q", "-b", name]);
    }

    /// The output of git.
    pub fn git(&self, arguments: &[&str]) -> String {
        git(&self.dir, arguments)
    }

    /// The `workspace` of a plan.
    pub fn workspace(&self, git_ref: &str) -> serde_json::Value {
        serde_json::json!({"git": self.dir, "ref": git_ref})
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.dir));
    }
}

pub fn git(dir: &Path, arguments: &[&str]) -> String {
    let done = Command::new("git")
        .current_dir(dir)
        .args(["-c", "user.name=Dev", "-c", "user.email=dev@example.com", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .output()
        .expect("git runs");
    assert!(done.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// The `PATH` of a step that finds the tools that the tests brought: those of Python, and those of npm.
pub fn path_with_tools() -> String {
    let (python, node) = (crate::stack::target().join("python/bin"), crate::stack::root().join("node_modules/.bin"));
    let own = std::env::var("PATH").expect("a PATH");
    format!("{}:{}:{own}", python.display(), node.display())
}
