//! Coverage of changed lines: the diff against a base (`diff`), reports of any format (`report`), the files they are about (`join`), and the
//! verdict. A file that cannot be read, mapped or measured keeps the gate closed.

mod clover;
mod cobertura;
mod diff;
mod istanbul;
mod jacoco;
mod join;
mod lcov;
mod llvm_cov;
mod report;
mod verdict;

use std::collections::BTreeSet;
use std::path::Path;

use nofx_shared::crypto::digest;
use nofx_shared::engine::Failure;
use nofx_shared::gates::{Coverage, Finding, Input, ReportFile, Severity, Tool, Verdict};
use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Gate, GateContext, Judgement};
use crate::drivers::script_argv;
use crate::workspace::{Git, file_below};

/// Checks whether tests ran the lines that changed since a base: at least 90 % of them. Reads LCOV, Cobertura, Clover, JaCoCo,
/// Istanbul's coverage-final.json and llvm-cov's JSON. A changed source file that is in no report keeps the gate closed.
#[derive(JsonSchema)]
#[schemars(rename = "Coverage")]
pub(crate) struct CoverageGate;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Inputs {
    /// Branch, tag or commit to compare with, at the merge base. Default: `origin/HEAD`, `origin/main` or `origin/master`.
    base: Option<String>,
    /// Runs the tests and writes the reports; default: none, an earlier step has done so.
    command: Option<String>,
    /// Reports below the workspace; default: those at the usual places.
    reports: Option<Vec<String>>,
    /// Percent of the changed lines that must have run; default: 90.
    threshold: Option<f64>,
    /// Files that need no coverage: `docs/**`, `src/gen/*.ts`.
    #[serde(default)]
    exclude: Vec<String>,
}

/// Where tools write their reports by default.
const DEFAULT_REPORTS: &[&str] = &[
    "lcov.info",
    "coverage/lcov.info",
    "coverage.xml",
    "cobertura.xml",
    "coverage/cobertura-coverage.xml",
    "coverage/clover.xml",
    "coverage/coverage-final.json",
    "coverage-final.json",
    "target/llvm-cov/lcov.info",
    "target/llvm-cov.json",
    "target/site/jacoco/jacoco.xml",
    "build/reports/jacoco/test/jacocoTestReport.xml",
];
/// A larger report is a mistake.
const REPORT_BYTES: u64 = 256 << 20;

impl Gate for CoverageGate {
    const TOOL: &'static str = "gate:coverage";
    type Inputs = Inputs;

    async fn judge(context: &GateContext<'_>, inputs: Inputs) -> Result<Judgement, Failure> {
        let threshold = inputs.threshold.unwrap_or(90.0);
        if !(0.0..=100.0).contains(&threshold) {
            return Err(Failure::permanent(format!("`threshold` must be a percentage from 0 to 100, not {threshold}")));
        }
        let git = context.git(&context.workspace);
        if !git.is_repository() {
            return Ok(Judgement::inconclusive("the workspace is not a git repository: there is nothing to compare with"));
        }
        let mut output = String::new();
        let mut exit_code = None;
        if let Some(command) = &inputs.command {
            let result = context.run(script_argv(command), &context.workspace).await?;
            (output, exit_code) = (result.output, result.exit_code);
        }
        let tool = Tool { name: "nofx".to_owned(), version: Some(env!("CARGO_PKG_VERSION").to_owned()) };
        let mut judgement = if exit_code.is_none_or(|code| code == 0) {
            compare(context, &git, &inputs, (threshold * 1000.0).round() as u64).await?
        } else {
            Judgement::inconclusive(format!("the command exited with code {}", exit_code.unwrap_or_default()))
        };
        (judgement.tool, judgement.output, judgement.exit_code) = (tool, output, exit_code);
        judgement.command = inputs.command.map(|command| context.step.mask.apply(&command));
        Ok(judgement)
    }
}

async fn compare(context: &GateContext<'_>, git: &Git<'_>, inputs: &Inputs, threshold_milli: u64) -> Result<Judgement, Failure> {
    let Some(base) = base_of(git, inputs.base.as_deref()).await? else {
        let named = inputs.base.as_deref().unwrap_or("origin/HEAD, origin/main or origin/master");
        return Ok(Judgement::inconclusive(format!("no merge base with {named}; set `base`")));
    };
    let head = git.tree().await?;
    let flags =
        ["diff", "--no-ext-diff", "--no-textconv", "--no-color", "--unified=0", "--find-renames", "--src-prefix=a/", "--dst-prefix=b/"];
    let text = git.run(&[flags.as_slice(), &["--end-of-options", &base, &head]].concat()).await?;
    let changes = match diff::read(&text) {
        Ok(changes) => changes,
        Err(error) => return Ok(Judgement::inconclusive(format!("could not read the diff: {error}"))),
    };
    let (reports, files, read) = match read_reports(&context.workspace, inputs.reports.as_deref())? {
        Ok(found) => found,
        Err(why) => return Ok(Judgement::inconclusive(why)),
    };
    let tracked: BTreeSet<String> = git.files(&head).await?.into_iter().collect();
    let joined = join::join(&reports, &tracked, &context.workspace.to_string_lossy());
    let excluded = inputs.exclude.iter().map(|glob| pattern(glob)).collect::<Result<Vec<_>, _>>()?;
    let generated = generated(git, &changes).await?;
    let is_excluded = |path: &str| excluded.iter().any(|one| one.is_match(path));
    let found = verdict::judge(&changes, &joined, threshold_milli, is_excluded, |path| generated.contains(path));

    let share = format!("{} of {} changed lines ran, {}% are required", found.covered, found.coverable, threshold_milli as f64 / 1000.0);
    let summary = match found.verdict {
        Verdict::NotApplicable => "no line that can be covered was changed".to_owned(),
        Verdict::Inconclusive => {
            format!("changed source files are in no report: {}; measure them, or add them to `exclude`", found.unmeasured.join(", "))
        }
        Verdict::Pass | Verdict::Fail => share,
    };
    let mut findings: Vec<Finding> = vec![];
    for (path, file) in &found.files {
        findings.extend(file.uncovered.iter().map(|[first, last]| Finding {
            file: Some(path.clone()),
            line: Some(*first),
            column: None,
            rule: Some("uncovered".to_owned()),
            severity: Severity::Warning,
            message: if first == last { format!("no test runs line {first}") } else { format!("no test runs lines {first} to {last}") },
        }));
    }
    findings.extend(found.unmeasured.iter().map(|path| Finding {
        file: Some(path.clone()),
        line: None,
        column: None,
        rule: Some("unmeasured".to_owned()),
        severity: Severity::Error,
        message: "this changed source file is in no coverage report".to_owned(),
    }));
    let coverage = Coverage {
        covered: found.covered,
        coverable: found.coverable,
        threshold_milli,
        base,
        head,
        files: found.files,
        unmeasured: found.unmeasured,
        left_out: found.left_out.into_iter().map(|(path, why)| (path, why.to_owned())).collect(),
        unmapped: joined.unmapped.into_iter().collect(),
        reports: read,
    };
    Ok(Judgement { findings, coverage: Some(coverage), inputs: files, ..Judgement::of(found.verdict, summary) })
}

/// The merge base.
async fn base_of(git: &Git<'_>, named: Option<&str>) -> Result<Option<String>, Failure> {
    let candidates: Vec<String> = match named {
        Some(name) => vec![format!("origin/{name}"), name.to_owned()],
        None => ["origin/HEAD", "origin/main", "origin/master"].map(str::to_owned).to_vec(),
    };
    for name in candidates {
        let Some(commit) = git.commit(&name).await? else { continue };
        // Without a commit, all files are new since the base.
        let Some(head) = git.head().await? else { return Ok(Some(commit)) };
        let result = git.try_run(&["merge-base", &commit, &head]).await?;
        if result.exit_code == Some(0) {
            return Ok(Some(result.stdout.trim().to_owned()));
        }
    }
    Ok(None)
}

type Reports = (Vec<report::Report>, Vec<Input>, Vec<ReportFile>);

/// The reports of the inputs, or those at the default paths; the inner error says why there is no verdict.
fn read_reports(workspace: &Path, named: Option<&[String]>) -> Result<Result<Reports, String>, Failure> {
    let names: Vec<&str> = match named {
        Some(names) => names.iter().map(String::as_str).collect(),
        None => DEFAULT_REPORTS.iter().copied().filter(|name| workspace.join(name).is_file()).collect(),
    };
    if names.is_empty() {
        return Ok(Err(format!("no coverage report at the usual places ({}); set `reports`", DEFAULT_REPORTS.join(", "))));
    }
    let (mut reports, mut inputs, mut files) = (vec![], vec![], vec![]);
    for name in names {
        let path = file_below(workspace, name)?;
        let size = std::fs::metadata(&path).map_or(0, |meta| meta.len());
        if size > REPORT_BYTES {
            return Ok(Err(format!("the report {name} is {size} bytes, the limit is {REPORT_BYTES}")));
        }
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => return Ok(Err(format!("could not read the report {name}: {error}"))),
        };
        let digest = digest(&bytes);
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(_) => return Ok(Err(format!("the report {name} is not UTF-8"))),
        };
        match report::read(&text) {
            Ok((format, report)) => {
                files.push(ReportFile { path: name.to_owned(), format: format.to_owned(), digest: digest.clone() });
                inputs.push(Input { name: name.to_owned(), digest });
                reports.push(report);
            }
            Err(error) => return Ok(Err(format!("could not read the report {name}: {error}"))),
        }
    }
    Ok(Ok((reports, inputs, files)))
}

/// Changed files that are `linguist-generated` in .gitattributes.
async fn generated(git: &Git<'_>, changes: &[diff::Change]) -> Result<BTreeSet<String>, Failure> {
    let mut out = BTreeSet::new();
    let paths: Vec<&str> = changes.iter().filter(|change| !change.added.is_empty()).map(|change| change.path.as_str()).collect();
    for some in paths.chunks(500) {
        let attributes = git.run(&[["check-attr", "-z", "linguist-generated", "--"].as_slice(), some].concat()).await?;
        let words: Vec<&str> = attributes.split('\0').collect();
        out.extend(
            words.as_chunks::<3>().0.iter().filter(|[_, _, value]| matches!(*value, "set" | "true")).map(|[path, _, _]| (*path).to_owned()),
        );
    }
    Ok(out)
}

/// A glob as a regular expression: `**` is any folders, `*` and `?` stay within a name.
fn pattern(glob: &str) -> Result<Regex, Failure> {
    let mut out = String::from("^");
    let mut rest = glob;
    while !rest.is_empty() {
        let (taken, written) = match rest.as_bytes() {
            [b'*', b'*', b'/', ..] => (3, "(?:.*/)?".to_owned()),
            [b'*', b'*', ..] => (2, ".*".to_owned()),
            [b'*', ..] => (1, "[^/]*".to_owned()),
            [b'?', ..] => (1, "[^/]".to_owned()),
            _ => {
                let length = rest.chars().next().map_or(1, char::len_utf8);
                (length, regex::escape(&rest[..length]))
            }
        };
        out.push_str(&written);
        rest = &rest[taken..];
    }
    out.push('$');
    Regex::new(&out).map_err(|_| Failure::permanent(format!("`exclude`: `{glob}` is not a valid pattern")))
}

#[cfg(test)]
mod tests {
    #[test]
    fn patterns_are_those_of_gitignore() {
        let fits = |glob: &str, path: &str| super::pattern(glob).is_ok_and(|one| one.is_match(path));
        assert!(
            fits("docs/**", "docs/a/b.md")
                && fits("**/gen/*.ts", "gen/a.ts")
                && fits("**/gen/*.ts", "x/y/gen/a.ts")
                && fits("a?.rs", "ab.rs")
        );
        assert!(!fits("*.rs", "src/a.rs") && !fits("src/*.rs", "src/a/b.rs") && !fits("a.rs", "axrs"));
    }
}
