//! A host of git repositories over HTTPS, with a certificate of its own, that records who asks with which token.
#![expect(clippy::disallowed_methods, reason = "runs python3, openssl and git")]

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::repository::git;

pub struct GitHost {
    pub port: u16,
    folder: tempfile::TempDir,
    process: Child,
}

impl GitHost {
    /// With a repository `acme.git`, also named `acme/web.git`, whose branch `main` has one commit. `elsewhere`: where `/moved/` leads.
    pub fn start(elsewhere: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // Steps trust its certificate, so they read it.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("own");
        let path = |name: &str| folder.path().join(name);
        let request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext"];
        let made = Command::new("openssl")
            .args(request)
            .args(["subjectAltName=IP:127.0.0.1", "-keyout"])
            .args([path("key.pem"), "-out".into(), path("certificate.pem")])
            .output();
        assert!(made.expect("openssl").status.success());
        let both = ["certificate.pem", "key.pem"].map(|name| std::fs::read_to_string(path(name)).expect("text")).concat();
        std::fs::write(path("both.pem"), both).expect("written");
        git(folder.path(), &["init", "-q", "--bare", "repositories/acme.git"]);
        git(&path("repositories/acme.git"), &["config", "http.receivepack", "true"]);
        // As a forge names it.
        std::fs::create_dir(path("repositories/acme")).expect("a folder");
        std::os::unix::fs::symlink("../acme.git", path("repositories/acme/web.git")).expect("a link");
        let first = path("first");
        git(folder.path(), &["init", "-q", "first"]);
        git(&first, &["commit", "-q", "--allow-empty", "-m", "first"]);
        git(&first, &["push", "-q", "../repositories/acme.git", "HEAD:refs/heads/main"]);

        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/fakes/git_host.py");
        let mut process = Command::new("python3")
            .arg(script)
            .args([path("both.pem"), path("repositories"), path("log"), elsewhere.into()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        Self { port: line.trim().parse().expect("a port"), folder, process }
    }

    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    /// The output of git in its repository.
    pub fn git(&self, arguments: &[&str]) -> String {
        git(&self.folder.path().join("repositories/acme.git"), arguments)
    }

    /// Method, path and `Authorization` of each request.
    pub fn requests(&self) -> Vec<String> {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default().lines().map(str::to_owned).collect()
    }
}

impl Drop for GitHost {
    fn drop(&mut self) {
        drop(self.process.kill().and_then(|()| self.process.wait()));
    }
}
