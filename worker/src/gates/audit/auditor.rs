//! Which tool audits which lock file. All that are there are audited.

use super::report::{Advisory, Report};
use super::{cargo, go, npm, pip, pnpm, uv, yarn};
use crate::sbom::{self, is_berry};
use nofx_sandbox::Files;

/// A tool, and how it audits.
#[derive(Debug)]
pub(super) struct Auditor {
    /// A line for bash; its first word is the tool.
    pub command: &'static str,
    pub place: Place,
    pub read: fn(&Report<'_>) -> Result<Vec<Advisory>, String>,
}

/// Where the tool runs.
#[derive(Debug)]
pub(super) enum Place {
    /// In folders with nothing but the files of a run: what the repository's own settings would hide is seen, and none of its programs run.
    Private,
    /// Among the sources, which it needs.
    Sources,
}

/// A lock file of the workspace.
pub(super) struct Lock<'a> {
    pub file: &'static str,
    pub text: &'a str,
    /// Its folder.
    pub folder: &'a Files,
    /// Whether the operator has a database of advisories for Rust.
    pub has_database: bool,
}

/// One run of a tool.
pub(super) struct Run {
    /// Names and contents of all files that it gets.
    pub files: Vec<(String, String)>,
    /// Packages that its report must name, as lines `name==version`.
    pub packages: Vec<String>,
}

impl Run {
    pub(super) fn of<const N: usize>(files: [(&str, &str); N]) -> Self {
        Self { files: files.map(|(name, text)| (name.to_owned(), text.to_owned())).to_vec(), packages: vec![] }
    }
}

/// The tool for a lock file, and its runs or why there can be none.
pub(super) type Choice = (&'static Auditor, Result<Vec<Run>, String>);

impl Auditor {
    const fn new(command: &'static str, read: fn(&Report<'_>) -> Result<Vec<Advisory>, String>) -> Self {
        Self { command, place: Place::Private, read }
    }

    /// The name of the tool.
    pub(super) fn program(&self) -> &'static str {
        self.command.split(' ').next().unwrap_or_default()
    }
}

// Not through cargo, which has aliases.
const CARGO: Auditor = Auditor::new("cargo-audit audit --json --file Cargo.lock", cargo::fetched);
const CARGO_OFFLINE: Auditor = Auditor::new(cargo::OFFLINE, cargo::offline);
pub(super) const NPM: Auditor = Auditor::new(npm::COMMAND, npm::read);
const PNPM: Auditor = Auditor::new("pnpm audit --json", pnpm::read);
const YARN_CLASSIC: Auditor = Auditor::new("yarn audit --json --no-default-rc", yarn::classic);
const YARN_BERRY: Auditor = Auditor::new("yarn npm audit --all --recursive --json", yarn::berry);
pub(super) const PIP_RESOLVES: Auditor = Auditor::new(pip::RESOLVE, pip::read);
// The lock file names all packages, so that there is nothing to resolve.
pub(super) const PIP_PINNED: Auditor = Auditor::new(pip::PINNED, pip::read);
const UV: Auditor = Auditor::new("uv audit --frozen --no-config --output-format json", uv::read);
const GO: Auditor = Auditor { command: "govulncheck -json ./...", place: Place::Sources, read: go::read };

/// Each lock file by its name, with what chooses its auditor.
pub(super) type LockFile = (&'static str, fn(&Lock<'_>) -> Choice);

pub(super) const LOCK_FILES: &[LockFile] = &[
    ("Cargo.lock", |lock| (if lock.has_database { &CARGO_OFFLINE } else { &CARGO }, cargo::runs(lock))),
    ("package-lock.json", |lock| (&NPM, npm::runs(lock))),
    ("npm-shrinkwrap.json", |lock| (&NPM, npm::runs(lock))),
    ("pnpm-lock.yaml", |lock| (&PNPM, pnpm::runs(lock))),
    ("yarn.lock", of_yarn),
    ("requirements.txt", pip::requirements),
    // Poetry itself exports nothing without a plugin, and pip-audit does not read its lock file.
    ("poetry.lock", |lock| (&PIP_PINNED, pip::poetry_runs(lock))),
    ("uv.lock", |lock| (&UV, uv::runs(lock))),
    ("go.mod", |_| (&GO, Ok(vec![Run::of([])]))),
];

/// The command of each.
#[cfg(test)]
pub(in crate::gates) fn commands() -> impl Iterator<Item = &'static str> {
    let all = [CARGO, CARGO_OFFLINE, NPM, PNPM, YARN_CLASSIC, YARN_BERRY, PIP_RESOLVES, PIP_PINNED, UV, GO];
    all.into_iter().map(|auditor| auditor.command)
}

/// Two formats have this name, each of another yarn.
fn of_yarn(lock: &Lock<'_>) -> Choice {
    if is_berry(lock.text) { (&YARN_BERRY, yarn::berry_runs(lock)) } else { (&YARN_CLASSIC, yarn::classic_runs(lock)) }
}

/// The choice for a lock file in a folder, which is read once; none when it is not there.
pub(super) fn choose(folder: &Files, (file, choose): LockFile, has_database: bool) -> Result<Option<Choice>, String> {
    let Some(text) = sbom::text(folder, file).map_err(|error| format!("{file} {error}"))? else { return Ok(None) };
    Ok(Some(choose(&Lock { file, text: &text, folder, has_database })))
}

#[cfg(test)]
mod tests {
    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    use super::{LOCK_FILES, choose};
    use nofx_sandbox::Files;

    /// The commands for the lock files of a folder, or what is wrong with them.
    fn commands(dir: &std::path::Path, has_database: bool) -> Vec<Result<&'static str, String>> {
        let folder = Files::own(dir).expect("open");
        let chosen = LOCK_FILES.iter().map(|lock| choose(&folder, *lock, has_database));
        chosen.filter_map(Result::transpose).map(|choice| choice.map(|(auditor, _)| auditor.command)).collect()
    }

    #[test]
    fn each_lock_file_has_its_tool() {
        let dir = tempfile::tempdir().expect("a folder");
        let tools = || {
            let commands = commands(dir.path(), false).into_iter().map(|command| command.expect("a command"));
            commands.map(|command| command.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
        };
        assert_eq!(tools(), [""; 0]);
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
        for name in ["pnpm-lock.yaml", "poetry.lock", "uv.lock", "go.mod", "Cargo.lock"] {
            write(name, "");
        }
        write("yarn.lock", "# yarn lockfile v1\n");
        assert_eq!(tools(), ["cargo-audit audit", "pnpm audit", "yarn audit", "pip-audit --format", "uv audit", "govulncheck -json"]);
        write("yarn.lock", "__metadata:\r\n  version: 8\r\n");
        assert!(tools().contains(&"yarn npm".to_owned()) && !tools().contains(&"yarn audit".to_owned()));
    }

    #[test]
    fn crates_are_compared_with_the_operators_advisories_where_there_are_any() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("Cargo.lock"), "version = 4\n").expect("written");
        let of = |has_database| commands(dir.path(), has_database)[0].clone().expect("a command").contains("--no-fetch");
        assert_eq!((of(false), of(true)), (false, true));
    }

    #[test]
    fn requirements_are_resolved_unless_each_has_a_hash() {
        let dir = tempfile::tempdir().expect("a folder");
        let hash = format!("--hash=sha256:{}", "0".repeat(64));
        for (text, is_resolved) in [("a==1".to_owned(), true), (format!("a==1 {hash}"), false), (format!("a==1 {hash}\nb==1"), true)] {
            std::fs::write(dir.path().join("requirements.txt"), &text).expect("written");
            let found = commands(dir.path(), false);
            assert_eq!((found.len(), found[0].as_ref().map(|command| !command.contains("--no-deps"))), (1, Ok(is_resolved)), "{text}");
        }
    }

    #[test]
    fn a_lock_file_that_cannot_be_read_is_not_left_out() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("go.mod"), "").expect("written");
        mkfifo(&dir.path().join("Cargo.lock"), Mode::S_IRWXU).expect("a fifo");
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("uv.lock")).expect("a link");
        std::fs::write(dir.path().join("pnpm-lock.yaml"), [0xff]).expect("written");
        std::fs::write(dir.path().join("yarn.lock"), "a\n".repeat(1_000_001)).expect("written");
        let faults: Vec<String> = commands(dir.path(), false).into_iter().filter_map(Result::err).collect();
        let expected = [
            "Cargo.lock is not a regular file",
            "pnpm-lock.yaml is not UTF-8",
            "yarn.lock has more than 1000000 lines and entries",
            "uv.lock is or goes through a link out of the workspace",
        ];
        assert_eq!(faults, expected);
    }
}
