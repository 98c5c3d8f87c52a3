//! The runs of one tool: which version it is, and what it reports.

use nofx_shared::engine::Failure;
use nofx_shared::gates::Tool;

use super::auditor::{Auditor, Lock, Place, Run};
use super::pip;
use super::private::Private;
use super::report::{Advisory, Report};
use crate::drivers::{Executable, ProcessResult};
use crate::gates::context::GateContext;
use crate::gates::judgement::Judgement;
use crate::workspace::Folder;

/// Longest version, in characters.
const VERSION: usize = 200;

/// Audits one lock file; the inner error says why there is no usable report. Output and exit code are added to the judgement.
pub(super) async fn audit(
    context: &GateContext<'_>,
    auditor: &Auditor,
    text: &str,
    sources: &Folder,
    judgement: &mut Judgement,
) -> Result<(Tool, Result<Vec<Advisory>, String>), Failure> {
    let mut tool = Tool { name: auditor.program().to_owned(), version: None };
    let private = Private::new(context).await?;
    let runs = match auditor.place {
        Place::Private(runs) => {
            let (file, text) = (auditor.file, text.to_owned());
            sources.off_loop(move |folder| runs(&Lock { file, text: &text, folder })).await?
        }
        Place::Sources => Ok(vec![Run::of([])]),
    };
    let runs = match runs {
        Ok(runs) => runs,
        Err(why) => return Ok((tool, Err(format!("{}: {why}", auditor.file)))),
    };
    let mut found = vec![];
    for (at, run) in runs.iter().enumerate() {
        let folder = private.folder(context, at, run).await?;
        if tool.version.is_none() {
            let asked = format!("{} --version", tool.name);
            let answer = context.run_with(Executable::script(&asked), &folder, private.env.clone()).await?;
            tool.version = version(&tool.name, &answer);
            if tool.version.is_none() {
                let why = format!(
                    "{} is missing or broken: `{asked}` printed no version; install it in a folder of the step's `PATH`: {}",
                    tool.name,
                    context.end_of(&answer.output, 300)
                );
                return Ok((tool, Err(why)));
            }
        }
        let place = if matches!(auditor.place, Place::Sources) { sources } else { &folder };
        let result = context.run_with(Executable::script(auditor.command), place, private.env.clone()).await?;
        let read = read(auditor, &result, &run.packages);
        judgement.output.push_str(&result.output);
        judgement.exit_code = result.exit_code;
        match read {
            Ok(advisories) => found.extend(advisories),
            Err(why) => {
                return Ok((
                    tool,
                    Err(format!("`{}` gave no usable report ({why}: {})", auditor.command, context.end_of(&result.output, 300))),
                ));
            }
        }
    }
    Ok((tool, Ok(found)))
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
        None => return Err(format!("it {}", result.death())),
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
    use super::super::auditor::AUDITORS;
    use super::{read, version};
    use crate::drivers::ProcessResult;

    fn ended(stdout: &str, exit_code: Option<i32>, dropped_bytes: usize) -> ProcessResult {
        ProcessResult { exit_code, output: stdout.to_owned(), stdout: stdout.to_owned(), dropped_bytes, ..ProcessResult::default() }
    }

    #[test]
    fn a_tool_that_did_not_end_well_has_no_report() {
        let npm = AUDITORS.iter().find(|auditor| auditor.command.starts_with("npm")).expect("npm");
        let of = |exit_code, dropped_bytes| {
            let stdout = r#"{"auditReportVersion": 2, "vulnerabilities": {}, "metadata": {"vulnerabilities": {}}}"#;
            read(npm, &ended(stdout, exit_code, dropped_bytes), &[]).map(|found| found.len())
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
}
