//! Git repositories of tests, for agents to work on.
#![expect(clippy::disallowed_methods, reason = "runs git")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A repository in a folder of its own, which goes with it.
pub struct Repository {
    pub dir: PathBuf,
    /// Serves it, at a port that steps may connect to.
    server: Option<(Child, u16)>,
}

impl Repository {
    /// With a first commit on `main` that holds these files.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let dir = std::env::temp_dir().join(format!("nofx-repo-{}", uuid::Uuid::now_v7().simple()));
        std::fs::create_dir(&dir).expect("a folder");
        let repository = Self { dir, server: None };
        repository.git(&["init", "-q"]);
        repository.commit(files);
        repository
    }

    /// Can be pushed to, by git's own protocol: a step writes to no folder of this machine but its own.
    #[must_use]
    pub fn served(mut self, port: u16) -> Self {
        let base = self.dir.parent().expect("a folder").display();
        let server = Command::new("git")
            .args(["daemon", "--listen=127.0.0.1", &format!("--port={port}"), "--reuseaddr", "--export-all", "--enable=receive-pack"])
            .arg(format!("--base-path={base}"))
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("git serves");
        let begin = std::time::Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begin.elapsed().as_secs() < 60, "git does not serve");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        self.server = Some((server, port));
        self
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
        let name = self.dir.file_name().expect("a name").to_string_lossy();
        let git = self.server.as_ref().map_or_else(|| self.dir.display().to_string(), |(_, port)| format!("git://127.0.0.1:{port}/{name}"));
        serde_json::json!({"git": git, "ref": git_ref})
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        if let Some((server, _)) = &mut self.server {
            drop(server.kill());
            drop(server.wait());
        }
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
