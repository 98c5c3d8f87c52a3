//! Which files are scanned, and what is wrong with those that cannot be.

use nofx_sandbox::{Files, Kind};
use nofx_shared::gates::{Finding, Severity};

use super::scan::scan;
use super::stopped::Stopped;

/// Larger files are a finding and not scanned.
const FILE_BYTES: u64 = 32 << 20;
/// With so many findings in all files, the next file is not scanned.
const FINDINGS: usize = 100_000;
/// Generated lists of packages: full of hashes, written by no one.
const LOCK_FILES: &[&str] = &[
    "Cargo.lock",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "poetry.lock",
    "uv.lock",
    "Pipfile.lock",
    "go.sum",
    "composer.lock",
    "Gemfile.lock",
    "deno.lock",
    "flake.lock",
    "mix.lock",
    "pubspec.lock",
    "gradle.lockfile",
];

/// The findings in files, and how many files were scanned. `is_stopped` is called before each of them, and while it is scanned.
pub(super) fn scan_files(
    root: &Files,
    files: Vec<String>,
    exclude: &[String],
    is_stopped: &dyn Fn() -> bool,
) -> Result<(Vec<Finding>, usize), Stopped> {
    let mut findings = vec![];
    let mut scanned = 0;
    for file in files {
        if is_stopped() {
            return Err(Stopped);
        }
        let name = file.rsplit('/').next().unwrap_or(&file);
        if LOCK_FILES.contains(&name) || exclude.iter().any(|start| file.starts_with(start.as_str())) {
            continue;
        }
        if findings.len() >= FINDINGS {
            let message = format!("{FINDINGS} findings were before it: it and the files after it were not scanned");
            findings.push(unscanned(&file, "too-many-findings", message));
            break;
        }
        // The target of a link is scanned under its own name, or is outside of the workspace.
        if matches!(root.kind(&file), Some(Kind::Link | Kind::Other)) {
            continue;
        }
        // A name that is no UTF-8 was listed as another one.
        let missing = || "is not there by this name (names must be UTF-8)".to_owned();
        let bytes = match root.read(&file, FILE_BYTES).and_then(|bytes| bytes.ok_or_else(missing)) {
            Ok(bytes) => bytes,
            Err(why) => {
                let (rule, what) = if why.contains("larger") { ("too-large", "; add its path to `exclude`") } else { ("unreadable", "") };
                findings.push(unscanned(&file, rule, format!("the file {why} and was not scanned{what}")));
                continue;
            }
        };
        scanned += 1;
        // Binary files contain random bytes that look like secrets.
        if bytes.iter().take(8192).any(|byte| *byte == 0) {
            continue;
        }
        findings.extend(scan(&file, &String::from_utf8_lossy(&bytes), is_stopped)?);
    }
    Ok((findings, scanned))
}

/// Why a file, or a part of it, was not scanned.
pub(super) fn unscanned(file: &str, rule: &str, message: String) -> Finding {
    Finding { file: Some(file.to_owned()), line: None, column: None, rule: Some(rule.to_owned()), severity: Severity::Error, message }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use nofx_sandbox::Files;

    use super::{FILE_BYTES, FINDINGS, scan_files};

    #[test]
    fn so_many_findings_are_enough_in_all_files() {
        let dir = tempfile::tempdir().expect("a folder");
        // 64 MiB without a block of it on the disk.
        std::fs::File::create(dir.path().join("large")).and_then(|file| file.set_len(2 * FILE_BYTES)).expect("a large file");
        let (findings, scanned) =
            scan_files(&Files::own(dir.path()).expect("open"), vec!["large".to_owned(); 2 * FINDINGS], &[], &|| false)
                .expect("not stopped");
        let rules: Vec<&str> = findings.iter().filter_map(|finding| finding.rule.as_deref()).collect();
        assert_eq!((findings.len(), scanned, rules[FINDINGS - 1], rules[FINDINGS]), (FINDINGS + 1, 0, "too-large", "too-many-findings"));
    }

    #[test]
    fn what_was_listed_and_is_not_there_is_a_finding_and_a_link_or_fifo_is_none() {
        let dir = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink("nowhere", dir.path().join("link")).expect("a link");
        nix::unistd::mkfifo(&dir.path().join("fifo"), nix::sys::stat::Mode::S_IRUSR).expect("a fifo");
        std::fs::write(dir.path().join("file"), "").expect("written");
        let files = ["link", "fifo", "file", "\u{fffd}"].map(str::to_owned).to_vec();
        let (findings, scanned) = scan_files(&Files::own(dir.path()).expect("open"), files, &[], &|| false).expect("not stopped");
        let found: Vec<_> = findings.iter().map(|one| (one.file.as_deref(), one.rule.as_deref(), one.message.as_str())).collect();
        let why = "the file is not there by this name (names must be UTF-8) and was not scanned";
        assert_eq!((found, scanned), (vec![(Some("\u{fffd}"), Some("unreadable"), why)], 1));
    }

    #[test]
    fn a_scan_that_is_stopped_reads_no_more_files() {
        let dir = tempfile::tempdir().expect("a folder");
        let files: Vec<String> = (0..100).map(|n| format!("{n}")).collect();
        files.iter().for_each(|file| std::fs::write(dir.path().join(file), "").expect("written"));
        let asked = Cell::new(0);
        let is_stopped = || asked.replace(asked.get() + 1) == 5;
        assert!(scan_files(&Files::own(dir.path()).expect("open"), files, &[], &is_stopped).is_err());
        assert_eq!(asked.get(), 6);
    }
}
