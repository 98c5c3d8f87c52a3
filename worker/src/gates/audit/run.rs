//! The audit of one lock file: it is read once and becomes the files of its tool's runs; then, which version the tool is, and what it reports.

use nofx_shared::engine::Failure;
use nofx_shared::gates::Tool;

use super::auditor::{Auditor, LockFile, Place, choose};
use super::pip;
use super::private::Private;
use super::report::{Advisory, Report};
use crate::drivers::{Executable, ProcessResult};
use crate::gates::context::GateContext;
use crate::gates::judgement::Judgement;
use crate::sbom::Permit;
use crate::workspace::Folder;

/// Longest version, in characters.
const VERSION: usize = 200;

/// What came of the audit of a lock file.
pub(super) struct Audited {
    /// None: the file could not be read, so that no tool was chosen.
    pub by: Option<(&'static Auditor, Tool)>,
    /// The error says why there is no usable report.
    pub found: Result<Vec<Advisory>, String>,
}

/// Audits a lock file if it is there. Output and exit code are added to the judgement.
pub(super) async fn audit(
    context: &GateContext<'_>,
    lock: LockFile,
    sources: &Folder,
    judgement: &mut Judgement,
) -> Result<Option<Audited>, Failure> {
    let (permit, has_database) = (Permit::get(context.stop()).await?, context.advisory_db.is_some());
    // The thread has the permit: it works on when the step ends before it.
    let (chosen, permit) = sources.off_loop(move |folder| (choose(folder, lock, has_database), permit)).await?;
    let (auditor, runs) = match chosen {
        Ok(Some(choice)) => choice,
        Ok(None) => return Ok(None),
        Err(why) => return Ok(Some(Audited { by: None, found: Err(why) })),
    };
    let private = Private::new(context).await?;
    let mut folders = vec![];
    let found = match runs {
        Ok(runs) => {
            for (at, run) in runs.into_iter().enumerate() {
                folders.push((private.folder(context, at, run.files).await?, run.packages));
            }
            Ok(())
        }
        Err(why) => Err(format!("{}: {why}", lock.0)),
    };
    // From here on nothing of the lock file is in memory but names of packages.
    drop(permit);
    let mut tool = Tool { name: auditor.program().to_owned(), version: None };
    let found = match found {
        Ok(()) => reported(context, auditor, &private, &folders, sources, &mut tool, judgement).await?,
        Err(why) => Err(why),
    };
    Ok(Some(Audited { by: Some((auditor, tool)), found }))
}

/// What the tool reports in all of its runs, each with the packages that its report must name.
async fn reported(
    context: &GateContext<'_>,
    auditor: &Auditor,
    private: &Private,
    runs: &[(Folder, Vec<String>)],
    sources: &Folder,
    tool: &mut Tool,
    judgement: &mut Judgement,
) -> Result<Result<Vec<Advisory>, String>, Failure> {
    let mut found = vec![];
    for (folder, packages) in runs {
        if tool.version.is_none() {
            let asked = format!("{} --version", tool.name);
            let answer = context.run_with(Executable::script(&asked), folder, private.env.clone()).await?;
            tool.version = version(&tool.name, &answer);
            if tool.version.is_none() {
                let why = format!(
                    "{} is missing or broken: `{asked}` printed no version; install it in a folder of the step's `PATH`: {}",
                    tool.name,
                    context.end_of(&answer.output, 300)
                );
                return Ok(Err(why));
            }
        }
        let place = if matches!(auditor.place, Place::Sources) { sources } else { folder };
        let result = context.run_with(Executable::script(auditor.command), place, private.env.clone()).await?;
        let read = read(auditor, &result, packages);
        judgement.output.push_str(&result.output);
        judgement.exit_code = result.exit_code;
        match read {
            Ok(advisories) => found.extend(advisories),
            Err(why) => {
                let end = context.end_of(&result.output, 300);
                return Ok(Err(format!("`{}` gave no usable report ({why}: {end})", auditor.command)));
            }
        }
    }
    Ok(Ok(found))
}

/// The line with the version that a tool prints: the one that names it, or else the first.
fn version(program: &str, answer: &ProcessResult) -> Option<String> {
    let is_version = |line: &&str| {
        let parts: Vec<&str> = line.split('.').collect();
        parts.windows(2).any(|pair| pair[0].ends_with(|c: char| c.is_ascii_digit()) && pair[1].starts_with(|c: char| c.is_ascii_digit()))
    };
    let lines = || answer.stdout.lines().map(str::trim).filter(is_version);
    let line = lines().find(|line| line.contains(program)).or_else(|| lines().next());
    line.filter(|_| answer.exit_code == Some(0)).map(|line| line.chars().take(VERSION).collect())
}

fn read(auditor: &Auditor, result: &ProcessResult, packages: &[String]) -> Result<Vec<Advisory>, String> {
    let exit_code = match result.exit_code {
        // bash exits with 127 when a program is missing, with 126 when it cannot be run.
        Some(126 | 127) => return Err("a required tool is missing".to_owned()),
        Some(code) => code,
        None => return Err(format!("the tool {}", result.death())),
    };
    if result.dropped_bytes > 0 {
        return Err(format!("{} bytes of its output were dropped", result.dropped_bytes));
    }
    let report = Report { stdout: &result.stdout, exit_code };
    let found = (auditor.read)(&report)?;
    if !packages.is_empty() {
        pip::covers(&report, packages)?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use nofx_shared::gates::Verdict;
    use nofx_shared::secrets::Mask;
    use tokio_util::sync::CancellationToken;

    use super::super::auditor::{LOCK_FILES, NPM};
    use super::{audit, read, version};
    use crate::drivers::{ProcessResult, Processes};
    use crate::gates::context::{GateContext, Runner};
    use crate::gates::judgement::Judgement;
    use crate::sbom::Permit;
    use crate::workspace::Folder;

    fn ended(stdout: &str, exit_code: Option<i32>, dropped_bytes: usize) -> ProcessResult {
        ProcessResult { exit_code, output: stdout.to_owned(), stdout: stdout.to_owned(), dropped_bytes, ..ProcessResult::default() }
    }

    #[test]
    fn a_tool_that_did_not_end_well_has_no_report() {
        let of = |exit_code, dropped_bytes| {
            let stdout = r#"{"auditReportVersion": 2, "vulnerabilities": {}, "metadata": {"vulnerabilities": {}}}"#;
            read(&NPM, &ended(stdout, exit_code, dropped_bytes), &[]).map(|found| found.len())
        };
        assert_eq!(of(Some(0), 0), Ok(0));
        for (exit_code, dropped) in [(None, 0), (Some(127), 0), (Some(126), 0), (Some(0), 1), (Some(1), 0)] {
            assert!(of(exit_code, dropped).is_err(), "{exit_code:?} {dropped}");
        }
    }

    #[test]
    fn a_version_has_numbers_and_a_tool_that_failed_has_none() {
        let of = |program, stdout, code| version(program, &ended(stdout, Some(code), 0));
        for (program, stdout, expected) in [
            ("npm", "11.19.1\n", "11.19.1"),
            ("cargo-audit", "\ncargo-audit 0.22.0\n", "cargo-audit 0.22.0"),
            ("uv", "uv 0.13.9 (x86_64-unknown-linux-gnu)", "uv 0.13.9 (x86_64-unknown-linux-gnu)"),
            ("govulncheck", "Go: go1.25.1\nScanner: govulncheck@v1.1.4\nDB: https://vuln.go.dev\n", "Scanner: govulncheck@v1.1.4"),
        ] {
            assert_eq!(of(program, stdout, 0).as_deref(), Some(expected));
            assert_eq!(of(program, stdout, 1), None);
        }
        for nothing in ["", "\n", "Usage: npm", "10", "v.1", "no suggestions."] {
            assert_eq!(of("npm", nothing, 0), None, "{nothing}");
        }
    }

    #[tokio::test]
    async fn a_lock_file_is_read_when_a_bill_could_be_made() {
        let (dir, env) = (tempfile::tempdir().expect("a folder"), BTreeMap::new());
        std::fs::write(dir.path().join("Cargo.lock"), [0xff]).expect("written");
        let (processes, stop) = (Processes::own(), CancellationToken::new());
        let workspace = Folder::new(&processes, dir.path().to_owned()).expect("it is there");
        let runner = Runner::OnTheSpot { processes: &processes, stop: &stop };
        let context =
            GateContext { workspace: workspace.clone(), env: &env, mask: &Mask::default(), advisory_db: None, runner, begun: None };
        let mut judgement = Judgement::of(Verdict::Pass, "");
        let bills = (Permit::get(&stop).await.expect("a permit"), Permit::get(&stop).await.expect("a permit"));
        let early = tokio::time::timeout(Duration::from_millis(500), audit(&context, LOCK_FILES[0], &workspace, &mut judgement)).await;
        assert!(early.is_err(), "there is no permit");
        drop(bills);
        let audited = audit(&context, LOCK_FILES[0], &workspace, &mut judgement).await.expect("judged").expect("a lock file");
        assert_eq!(audited.found, Err("Cargo.lock is not UTF-8".to_owned()));
        assert_eq!(Permit::available(), 2);
    }
}
