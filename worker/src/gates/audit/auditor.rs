//! Which tool audits which lock file. All that are there are audited.

use super::report::{Advisory, Report};
use super::{cargo, go, npm, pip, pnpm, uv, yarn};
use crate::sbom::{LOCK_BYTES, is_berry, poetry_requirements};
use crate::workspace::Beneath;

type Requirements = fn(&str) -> Result<Vec<Vec<String>>, String>;

pub(super) struct Auditor {
    /// The lock file that it audits.
    pub file: &'static str,
    /// Whether it knows a lock file with this content.
    pub knows: fn(&str) -> bool,
    /// A line for bash; `"$1"` is a file with the lines of `requirements`.
    pub command: &'static str,
    /// For a tool that does not read the lock file: the packages to audit, as lines `name==version`, with one run for each list.
    pub requirements: Option<Requirements>,
    pub read: fn(&Report<'_>) -> Result<Vec<Advisory>, String>,
}

impl Auditor {
    const fn new(file: &'static str, command: &'static str, read: fn(&Report<'_>) -> Result<Vec<Advisory>, String>) -> Self {
        Self { file, knows: |_| true, command, requirements: None, read }
    }
}

pub(super) const AUDITORS: &[Auditor] = &[
    Auditor::new("Cargo.lock", "cargo audit --json", cargo::read),
    Auditor::new("package-lock.json", "npm audit --json", npm::read),
    Auditor::new("npm-shrinkwrap.json", "npm audit --json", npm::read),
    Auditor::new("pnpm-lock.yaml", "pnpm audit --json", pnpm::read),
    Auditor { knows: |text| !is_berry(text), ..Auditor::new("yarn.lock", "yarn audit --json", yarn::classic) },
    Auditor { knows: is_berry, ..Auditor::new("yarn.lock", "yarn npm audit --all --recursive --json", yarn::berry) },
    Auditor::new("requirements.txt", "pip-audit --format json --progress-spinner off --requirement requirements.txt", pip::read),
    // Poetry itself exports nothing without a plugin, and pip-audit does not read its lock file.
    Auditor {
        requirements: Some(poetry_requirements),
        ..Auditor::new(
            "poetry.lock",
            "pip-audit --format json --progress-spinner off --no-deps --disable-pip --requirement \"$1\"",
            pip::read,
        )
    },
    Auditor::new("uv.lock", "uv audit --frozen --output-format json", uv::read),
    Auditor::new("go.mod", "govulncheck -json ./...", go::read),
];

/// The auditors for the lock files in a folder, with the content of each file. A lock file that cannot be read has none, and a reason.
pub(super) fn auditors(folder: &Beneath) -> Result<Vec<(&'static Auditor, String)>, String> {
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
    use crate::workspace::Beneath;

    #[test]
    fn each_lock_file_has_its_tool() {
        let dir = tempfile::tempdir().expect("a folder");
        let commands = || {
            let found = auditors(&Beneath::open(dir.path()).expect("open"))?;
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
            Ok(["cargo audit", "pnpm audit", "yarn audit", "pip-audit --format", "uv audit", "govulncheck -json"]
                .map(str::to_owned)
                .to_vec())
        );
        write("yarn.lock", "__metadata:\r\n  version: 8\r\n");
        assert!(commands().is_ok_and(|found| found.contains(&"yarn npm".to_owned()) && !found.contains(&"yarn audit".to_owned())));
    }

    #[test]
    fn a_lock_file_that_cannot_be_read_is_not_left_out() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("Cargo.lock"), "").expect("written");
        mkfifo(&dir.path().join("uv.lock"), Mode::S_IRWXU).expect("a fifo");
        let found = || auditors(&Beneath::open(dir.path()).expect("open")).map(|found| found.len());
        assert_eq!(found(), Err("uv.lock is not a regular file".to_owned()));
        std::fs::remove_file(dir.path().join("uv.lock")).expect("removed");
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("uv.lock")).expect("a link");
        assert_eq!(found(), Err("uv.lock is or goes through a link out of the workspace".to_owned()));
    }
}
