//! A machine of a provider of sandboxes, on this one: a root of its own that is read-only but for `/tmp`, processes, users and, without a
//! network, interfaces of its own. Programs really run there.
#![expect(clippy::disallowed_methods, reason = "starts the programs of a stand-in")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

/// It ends when it is dropped, with all that runs there.
pub struct LocalMachine {
    folder: TempDir,
    /// Its first process: the others end with it.
    init: Pid,
    has_network: bool,
    _bwrap: Child,
}

impl LocalMachine {
    pub async fn start(has_network: bool) -> Self {
        let folder = tempfile::Builder::new().prefix("nofx-machine-").tempdir().expect("a folder");
        let tmp = folder.path().join("tmp");
        std::fs::create_dir(&tmp).expect("a folder");
        let mut bwrap = Command::new("bwrap");
        bwrap.args([
            "--unshare-user",
            "--unshare-pid",
            "--unshare-ipc",
            "--unshare-uts",
            "--as-pid-1",
            "--die-with-parent",
            "--new-session",
        ]);
        bwrap.args(["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/home", "--dir", "/home/user"]);
        if !has_network {
            bwrap.arg("--unshare-net");
        }
        bwrap.arg("--bind").args([&tmp, Path::new("/tmp")]).args(["--info-fd", "1", "--", "sleep", "infinity"]);
        let mut child = bwrap.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("bwrap starts");
        let mut info = String::new();
        let mut lines = BufReader::new(child.stdout.take().expect("its output"));
        while !info.trim_end().ends_with('}') {
            assert!(lines.read_line(&mut info).await.expect("its output") > 0, "bwrap made no machine: {info}");
        }
        let info: Value = serde_json::from_str(&info).expect("JSON");
        let init = i32::try_from(info["child-pid"].as_i64().expect("a process")).expect("a process");
        // bwrap says so before the machine has its folders; then it becomes the first program.
        while std::fs::read_to_string(format!("/proc/{init}/comm")).expect("the machine lives").trim_end() != "sleep" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Self { folder, init: Pid::from_raw(init), has_network, _bwrap: child }
    }

    /// Where a path below its `/tmp` is on this machine.
    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path.trim_start_matches('/'))
    }

    /// A program in a folder there; its output is piped.
    pub fn command(&self, argv: &[String], env: &BTreeMap<String, String>, dir: &str) -> Command {
        let mut command = Command::new("/usr/bin/nsenter");
        command.args(["--target", &self.init.to_string(), "--user", "--preserve-credentials", "--mount", "--pid", "--ipc", "--uts"]);
        if !self.has_network {
            command.arg("--net");
        }
        command.args(["--", "/bin/sh", "-c", "cd \"$1\" && shift && exec \"$@\"", "sh", dir]).args(argv);
        let usual = [("PATH", "/usr/local/bin:/usr/bin:/bin"), ("HOME", "/home/user"), ("USER", "user"), ("LOGNAME", "user")];
        command.env_clear().envs(usual).envs(env);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Ends all that runs there.
    pub fn end(&self) {
        // It fails when it has ended.
        let _ = kill(self.init, Signal::SIGKILL);
    }

    /// The command lines of what runs there, but for its first process.
    pub async fn processes(&self) -> Vec<String> {
        let script = "for p in /proc/[0-9]*; do [ $p = /proc/1 ] || [ $p = /proc/$$ ] || tr '\\0' ' ' < $p/cmdline 2>/dev/null; echo; done";
        let argv = ["/bin/bash", "-c", script].map(str::to_owned);
        let mut child = self.command(&argv, &BTreeMap::new(), "/").spawn().expect("it starts");
        let mut text = String::new();
        child.stdout.take().expect("its output").read_to_string(&mut text).await.expect("text");
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("tr ")).map(str::to_owned).collect()
    }
}

impl Drop for LocalMachine {
    fn drop(&mut self) {
        self.end();
    }
}
