//! Compares the workspace with its merge base: which changed lines ran, in the reports that are there.

use std::collections::BTreeSet;

use nofx_shared::engine::Failure;
use nofx_shared::gates::{Coverage, Finding, Severity, Verdict};

use super::diff;
use super::exclude::{self, generated, is_excluded};
use super::join::join;
use super::reports::read_reports;
use super::verdict::{CoverageResult, judge};
use crate::gates::context::GateContext;
use crate::gates::judgement::Judgement;
use crate::workspace::Git;

/// `threshold_milli`: thousandths of a percent.
pub(super) async fn compare(
    context: &GateContext<'_>,
    git: &Git<'_>,
    base: Option<&str>,
    reports: Option<&[String]>,
    exclude: &[String],
    threshold_milli: u64,
) -> Result<Judgement, Failure> {
    let Some(merge_base) = base_of(git, base).await? else {
        let named = base.unwrap_or("origin/HEAD, origin/main or origin/master");
        return Ok(Judgement::inconclusive(format!("no merge base with {named}; set `base`")));
    };
    let head = git.tree().await?;
    let flags =
        ["diff", "--no-ext-diff", "--no-textconv", "--no-color", "--unified=0", "--find-renames", "--src-prefix=a/", "--dst-prefix=b/"];
    let text = git.run(&[flags.as_slice(), &["--end-of-options", &merge_base, &head]].concat()).await?;
    let changes = match diff::read(&text) {
        Ok(changes) => changes,
        Err(error) => return Ok(Judgement::inconclusive(format!("could not read the diff: {error}"))),
    };
    let (reports, files, read) = match read_reports(&context.workspace, reports).await? {
        Ok(found) => found,
        Err(why) => return Ok(Judgement::inconclusive(why)),
    };
    let tracked: BTreeSet<String> = git.files(&head).await?.into_iter().collect();
    let joined = join(&reports, &tracked, &context.workspace.path().to_string_lossy());
    let exclude = exclude::exclude(exclude)?;
    let generated = generated(git, &changes).await?;
    let found = judge(&changes, &joined, threshold_milli, |path| is_excluded(&exclude, path), |path| generated.contains(path));

    let (summary, findings) = (summary(&found, threshold_milli), findings(&found));
    let coverage = Coverage {
        covered: found.covered,
        coverable: found.coverable,
        threshold_milli,
        base: merge_base,
        head,
        files: found.files,
        unmeasured: found.unmeasured,
        left_out: found.left_out.into_iter().map(|(path, why)| (path, why.to_owned())).collect(),
        unmapped: joined.unmapped.into_iter().collect(),
        reports: read,
    };
    Ok(Judgement { findings, coverage: Some(coverage), inputs: files, ..Judgement::of(found.verdict, summary) })
}

/// The verdict in words.
fn summary(found: &CoverageResult, threshold_milli: u64) -> String {
    match found.verdict {
        Verdict::NotApplicable => "no coverable lines changed".to_owned(),
        Verdict::Inconclusive => {
            format!("changed source files are not in any report: {}; measure them, or add them to `exclude`", found.unmeasured.join(", "))
        }
        Verdict::Pass | Verdict::Fail => {
            format!("{} of {} changed lines are covered; {}% is required", found.covered, found.coverable, threshold_milli as f64 / 1000.0)
        }
    }
}

/// Lines that no test runs, and files that were not measured.
fn findings(found: &CoverageResult) -> Vec<Finding> {
    let mut findings: Vec<Finding> = vec![];
    for (path, file) in &found.files {
        findings.extend(file.uncovered.iter().map(|[first, last]| Finding {
            file: Some(path.clone()),
            line: Some(*first),
            column: None,
            rule: Some("uncovered".to_owned()),
            severity: Severity::Warning,
            message: if first == last {
                format!("line {first} is not covered")
            } else {
                format!("lines {first} to {last} are not covered")
            },
        }));
    }
    findings.extend(found.unmeasured.iter().map(|path| Finding {
        file: Some(path.clone()),
        line: None,
        column: None,
        rule: Some("unmeasured".to_owned()),
        severity: Severity::Error,
        message: "this changed source file is not in any coverage report".to_owned(),
    }));
    findings
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
