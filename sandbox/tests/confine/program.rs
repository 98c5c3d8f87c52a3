//! Starts a program at a level, as a driver does, and waits for it.

#![expect(clippy::disallowed_methods, reason = "installs programs for those tests")]

use std::fs::Permissions;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use nofx_sandbox::Bridge;
use nofx_sandbox::launch::{Handover, Namespaces, Report, Spec, Tcp, helper};
use nofx_shared::drivers::{Enforced, Level, Limits};

pub(crate) const LEVELS: [Level; 3] = [Level::L1, Level::L2, Level::L3];

/// A user with a workspace, a scratch folder, and a toolchain that it may read.
pub(crate) struct Program {
    pub spec: Spec,
    pub uid: u32,
    pub folder: tempfile::TempDir,
}

impl Program {
    pub(crate) fn new(level: Level, argv: &[&str]) -> Self {
        assert!(nix::unistd::geteuid().is_root(), "these tests start programs as other users: run them as root");
        let folder = tempfile::tempdir().expect("a folder");
        let uid = unused_uid();
        open_to_all(folder.path());
        let made = |name: &str, owner: u32, mode: u32| {
            let path = folder.path().join(name);
            std::fs::create_dir(&path).expect(name);
            chown(&path, Some(owner), Some(owner)).expect(name);
            std::fs::set_permissions(&path, Permissions::from_mode(mode)).expect(name);
            path
        };
        let (workspace, scratch, tools) = (made("workspace", uid, 0o700), made("scratch", uid, 0o700), made("tools", 0, 0o755));
        let text = |path: &Path| path.to_str().expect("text").to_owned();
        let env = [("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()), ("HOME", text(&scratch)), ("TMPDIR", text(&scratch))];
        let spec = Spec {
            argv: argv.iter().map(|one| (*one).to_owned()).collect(),
            dir: workspace.clone(),
            env: env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            level,
            limits: Limits::default(),
            tcp: Tcp::None,
            read_write: vec![workspace, scratch.clone()],
            read_only: vec![tools],
            hidden: vec![],
            toolchains: None,
            scratch,
            exe: example(),
            outside: Namespaces::of_this_process().expect("namespaces"),
        };
        Self { spec, uid, folder }
    }

    pub(crate) fn workspace(&self) -> &Path {
        &self.spec.dir
    }

    pub(crate) fn tools(&self) -> PathBuf {
        self.folder.path().join("tools")
    }

    /// What keeps the program to an egress proxy at this port, which `serve` gets the connections of. In a network of the program's own they
    /// come by the listener that is handed out, else by that of the port.
    pub(crate) fn run_with_proxy(&mut self, listener: TcpListener, serve: impl Fn(TcpStream) + Send + 'static) -> (Output, Report) {
        self.spec.tcp = Tcp::Proxy(listener.local_addr().expect("an address").port());
        let (bridge, theirs) = Bridge::pair().expect("a pair");
        std::thread::spawn(move || {
            let handed_out = bridge.listener().expect("a listener, or none");
            let listener = handed_out.unwrap_or(listener);
            listener.set_nonblocking(false).expect("a setting");
            listener.incoming().flatten().for_each(serve);
        });
        let mut handover = Handover::new(&self.spec).expect("a memfd");
        let mut command = self.command(&handover);
        let child = command.stdin(Stdio::from(theirs)).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the helper starts");
        // The helper alone has the other end now.
        drop(command);
        let output = child.wait_with_output().expect("it ends");
        let report = handover.report().expect("a report").unwrap_or_else(|| panic!("it reported nothing: {output:?}"));
        (output, report)
    }

    /// Runs it to its end.
    pub(crate) fn run(&self) -> (Output, Report) {
        let description = serde_json::to_vec(&self.spec).expect("JSON");
        self.run_described(&description)
    }

    pub(crate) fn run_described(&self, description: &[u8]) -> (Output, Report) {
        let mut handover = Handover::of(description, &self.spec.exe).expect("a memfd");
        let output = self.command(&handover).stdin(Stdio::null()).output().expect("the helper starts");
        let report = handover.report().expect("a report").unwrap_or_else(|| panic!("it reported nothing: {output:?}"));
        (output, report)
    }

    pub(crate) fn command(&self, handover: &Handover) -> Command {
        let mut helper = helper(&self.spec, Some((self.uid, self.uid)), handover);
        // What a parent forgets to take away.
        helper.env("NOFX_SIGNING_KEY", "a secret");
        helper
    }

    /// What it wrote, when it has ended well.
    pub(crate) fn stdout(&self) -> String {
        let (output, report) = self.run();
        assert!(output.status.success(), "{:?} {report:?}\n{}", self.spec.argv, String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    pub(crate) fn enforced(&self) -> Enforced {
        match self.run().1 {
            Report::Enforced(enforced) => *enforced,
            Report::Refused(why) => panic!("{why}"),
        }
    }

    pub(crate) fn refusal(&self) -> String {
        match self.run() {
            (output, Report::Refused(why)) => {
                assert_eq!(output.status.code(), Some(nofx_sandbox::launch::REFUSED), "{output:?}");
                why
            }
            (_, Report::Enforced(enforced)) => panic!("it ran: {enforced:?}"),
        }
    }
}

/// Copies a program. Another process does, since children of other tests would inherit the file while it is written, and nobody can execute
/// it then.
pub(crate) fn install(from: &Path, to: &Path, mode: &str) {
    let status = Command::new("install").args(["-m", mode]).args([from, to]).status().expect("install");
    assert!(status.success(), "{}: build the examples", from.display());
}

/// Whoever runs the tests may have a mask that closes what is made.
pub(crate) fn open_to_all(path: &Path) {
    std::fs::set_permissions(path, Permissions::from_mode(0o755)).expect("own");
}

/// Limits count the processes of a user, so no two programs at once have the same one.
fn unused_uid() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // None of a worker's on this machine.
    200_000 + (std::process::id() * 16 + NEXT.fetch_add(1, Ordering::Relaxed)) % 19_000
}

/// The program with the verb `launch`, where every user can reach it: it may have been built in a home.
fn example() -> PathBuf {
    static COPY: LazyLock<(tempfile::TempDir, PathBuf)> = LazyLock::new(|| {
        let test = std::env::current_exe().expect("a path");
        let built = test.parent().and_then(Path::parent).expect("target/debug/deps").join("examples/launch");
        let folder = tempfile::tempdir().expect("a folder");
        open_to_all(folder.path());
        let copy = folder.path().join("launch");
        install(&built, &copy, "755");
        (folder, copy)
    });
    COPY.1.clone()
}
