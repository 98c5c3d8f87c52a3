//! Which tool audits which lock file. All that are there are audited.

use super::report::{Advisory, Report};
use super::{cargo, go, npm, pip, pnpm, uv, yarn};
use crate::sbom::{LOCK_BYTES, hashed_requirements, is_berry};
use nofx_sandbox::Files;

pub(super) struct Auditor {
    /// The lock file that it audits.
    pub file: &'static str,
    /// Whether it knows a lock file with this content.
    pub knows: fn(&str) -> bool,
    /// A line for bash; its first word is the tool.
    pub command: &'static str,
    pub place: Place,
    pub read: fn(&Report<'_>) -> Result<Vec<Advisory>, String>,
}

/// Where the tool runs.
pub(super) enum Place {
    /// In folders with nothing but these files: what the repository's own settings would hide is seen, and none of its programs run.
    Private(fn(&Lock<'_>) -> Result<Vec<Run>, String>),
    /// Among the sources, which it needs.
    Sources,
}

/// A lock file of the workspace.
pub(super) struct Lock<'a> {
    pub file: &'static str,
    pub text: &'a str,
    /// Its folder.
    pub folder: &'a Files,
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

impl Auditor {
    const fn new(
        file: &'static str,
        command: &'static str,
        runs: fn(&Lock<'_>) -> Result<Vec<Run>, String>,
        read: fn(&Report<'_>) -> Result<Vec<Advisory>, String>,
    ) -> Self {
        Self { file, knows: |_| true, command, place: Place::Private(runs), read }
    }

    /// The name of the tool.
    pub(super) fn program(&self) -> &'static str {
        self.command.split(' ').next().unwrap_or_default()
    }
}

pub(super) const AUDITORS: &[Auditor] = &[
    // Not through cargo, which has aliases.
    Auditor::new("Cargo.lock", "cargo-audit audit --json --file Cargo.lock", cargo::runs, cargo::read),
    Auditor::new("package-lock.json", npm::COMMAND, npm::runs, npm::read),
    Auditor::new("npm-shrinkwrap.json", npm::COMMAND, npm::runs, npm::read),
    Auditor::new("pnpm-lock.yaml", "pnpm audit --json", pnpm::runs, pnpm::read),
    Auditor {
        knows: |text| !is_berry(text),
        ..Auditor::new("yarn.lock", "yarn audit --json --no-default-rc", yarn::classic_runs, yarn::classic)
    },
    Auditor { knows: is_berry, ..Auditor::new("yarn.lock", "yarn npm audit --all --recursive --json", yarn::berry_runs, yarn::berry) },
    Auditor {
        knows: |text| hashed_requirements(text).is_none(),
        ..Auditor::new("requirements.txt", pip::RESOLVE, pip::requirements_runs, pip::read)
    },
    // It names all packages, so that there is nothing to resolve.
    Auditor {
        knows: |text| hashed_requirements(text).is_some(),
        ..Auditor::new("requirements.txt", pip::PINNED, pip::hashed_runs, pip::read)
    },
    // Poetry itself exports nothing without a plugin, and pip-audit does not read its lock file.
    Auditor::new("poetry.lock", pip::PINNED, pip::poetry_runs, pip::read),
    Auditor::new("uv.lock", "uv audit --frozen --no-config --output-format json", uv::runs, uv::read),
    Auditor { file: "go.mod", knows: |_| true, command: "govulncheck -json ./...", place: Place::Sources, read: go::read },
];

/// The command of each.
#[cfg(test)]
pub(in crate::gates) fn commands() -> impl Iterator<Item = &'static str> {
    AUDITORS.iter().map(|auditor| auditor.command)
}

/// The auditors for the lock files in a folder, with the content of each file. A lock file that cannot be read has none, and a reason.
pub(super) fn auditors(folder: &Files) -> Result<Vec<(&'static Auditor, String)>, String> {
    let mut found = vec![];
    for auditor in AUDITORS {
        let file = auditor.file;
        let Some(bytes) = folder.read(file, LOCK_BYTES).map_err(|error| format!("{file} {error}"))? else { continue };
        let text = String::from_utf8(bytes).map_err(|_| format!("{file} is not UTF-8"))?;
        if (auditor.knows)(&text) {
            found.push((auditor, text));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    use super::auditors;
    use nofx_sandbox::Files;

    #[test]
    fn each_lock_file_has_its_tool() {
        let dir = tempfile::tempdir().expect("a folder");
        let commands = || {
            let found = auditors(&Files::own(dir.path()).expect("open"))?;
            Ok::<_, String>(
                found.iter().map(|(auditor, _)| auditor.command.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect::<Vec<_>>(),
            )
        };
        assert_eq!(commands(), Ok(vec![]));
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
        for name in ["pnpm-lock.yaml", "poetry.lock", "uv.lock", "go.mod", "Cargo.lock"] {
            write(name, "");
        }
        write("yarn.lock", "# yarn lockfile v1\n");
        assert_eq!(
            commands(),
            Ok(["cargo-audit audit", "pnpm audit", "yarn audit", "pip-audit --format", "uv audit", "govulncheck -json"]
                .map(str::to_owned)
                .to_vec())
        );
        write("yarn.lock", "__metadata:\r\n  version: 8\r\n");
        assert!(commands().is_ok_and(|found| found.contains(&"yarn npm".to_owned()) && !found.contains(&"yarn audit".to_owned())));
    }

    #[test]
    fn requirements_are_resolved_unless_each_has_a_hash() {
        let dir = tempfile::tempdir().expect("a folder");
        let hash = format!("--hash=sha256:{}", "0".repeat(64));
        for (text, is_resolved) in [("a==1".to_owned(), true), (format!("a==1 {hash}"), false), (format!("a==1 {hash}\nb==1"), true)] {
            std::fs::write(dir.path().join("requirements.txt"), &text).expect("written");
            let found = auditors(&Files::own(dir.path()).expect("open")).expect("auditors");
            let commands: Vec<&str> = found.iter().map(|(auditor, _)| auditor.command).collect();
            assert_eq!((commands.len(), !commands[0].contains("--no-deps")), (1, is_resolved), "{text}");
        }
    }

    #[test]
    fn a_lock_file_that_cannot_be_read_is_not_left_out() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("Cargo.lock"), "").expect("written");
        mkfifo(&dir.path().join("uv.lock"), Mode::S_IRWXU).expect("a fifo");
        let found = || auditors(&Files::own(dir.path()).expect("open")).map(|found| found.len());
        assert_eq!(found(), Err("uv.lock is not a regular file".to_owned()));
        std::fs::remove_file(dir.path().join("uv.lock")).expect("removed");
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("uv.lock")).expect("a link");
        assert_eq!(found(), Err("uv.lock is or goes through a link out of the workspace".to_owned()));
    }
}
