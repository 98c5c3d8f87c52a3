//! Compares the workspace with its merge base: which changed lines ran, in the reports that are there.

use std::collections::BTreeSet;

use nofx_shared::engine::Failure;
use nofx_shared::gates::{Asked, BaseFrom, Coverage, Finding, Severity, Verdict};

use super::diff::{self, Change};
use super::exclude::{self, generated, is_excluded};
use super::join::join;
use super::reports::{read_reports, remove_report};
use super::verdict::{CoverageResult, is_to_measure, judge};
use crate::gates::aside::{Aside, Base};
use crate::gates::context::GateContext;
use crate::gates::judgement::Judgement;
use crate::workspace::{Folder, Git};

/// What changed: the workspace's tree against a commit.
pub(super) struct Changes<'a> {
    aside: Aside<'a>,
    pub base: Base,
    head: String,
    pub files: Vec<Change>,
}

impl<'a> Changes<'a> {
    /// The changes since the base; the inner error says why there is no verdict.
    pub(super) async fn find(
        context: &GateContext<'_>,
        workspace: &'a Folder,
        named: Option<&str>,
    ) -> Result<Result<Changes<'a>, String>, Failure> {
        let git = context.git(workspace);
        let remote = context.remote();
        let caller = remote.as_ref().map_or_else(|| git.caller.clone(), |(_, caller)| caller.clone());
        let aside = Aside::new(context, workspace, caller).await?;
        let mut base = None;
        if let Some((url, _)) = &remote {
            base = aside.remote_base(url, named, git.head().await?.as_deref()).await?;
        }
        let base = match base {
            Some(base) => base,
            None => match base_of(&git, named).await? {
                Some(commit) => Base { commit, from: BaseFrom::Workspace },
                None => {
                    let named = named.unwrap_or("origin/HEAD, origin/main or origin/master");
                    return Ok(Err(format!("no merge base with {named}; set `base`")));
                }
            },
        };
        let (head, files) = (String::new(), vec![]);
        Changes { aside, base, head, files }.again(&git).await
    }

    /// The changes as they are now.
    pub(super) async fn again(mut self, git: &Git<'_>) -> Result<Result<Changes<'a>, String>, Failure> {
        let head = git.tree().await?;
        if head == self.head {
            return Ok(Ok(self));
        }
        let flags =
            ["diff", "--no-ext-diff", "--no-textconv", "--no-color", "--unified=0", "--find-renames", "--src-prefix=a/", "--dst-prefix=b/"];
        let commit = &self.base.commit;
        let text = self.aside.run(commit, &[flags.as_slice(), &["--end-of-options", commit, &head]].concat()).await?;
        Ok(diff::read(&text).map_err(|error| format!("could not read the diff: {error}")).map(|files| {
            (self.head, self.files) = (head, files);
            self
        }))
    }

    /// Whether tests must run any of the changed lines.
    pub(super) fn are_to_measure(&self) -> bool {
        self.files.iter().any(is_to_measure)
    }
}

/// Compares what changed with the reports that are there. `threshold_milli`: thousandths of a percent.
pub(super) async fn compare(
    context: &GateContext<'_>,
    changes: Changes<'_>,
    reports: Option<&[String]>,
    own_report: Option<&str>,
    asked: &Asked,
) -> Result<Judgement, Failure> {
    let threshold_milli = asked.threshold_milli.unwrap_or_default();
    let found = read_reports(&context.workspace, reports).await?;
    // The gate's own report is no part of the work: the tree that is judged is the one without it.
    if let Some(name) = own_report {
        remove_report(&context.workspace, name).await?;
    }
    let changes = match changes.again(&context.git(&context.workspace)).await? {
        Ok(changes) => changes,
        Err(why) => return Ok(Judgement::inconclusive(why)),
    };
    let (reports, files, read) = match found {
        Ok(found) => found,
        // Nothing changed that a report could contain.
        Err(_) if changes.base.from == BaseFrom::Remote && !changes.are_to_measure() => Default::default(),
        Err(why) => return Ok(Judgement::inconclusive(why)),
    };
    let Changes { aside, base, head, files: changed } = changes;
    let tracked: BTreeSet<String> = aside.files(&head).await?.into_iter().collect();
    let joined = join(&reports, &tracked, &context.workspace.path().to_string_lossy());
    let exclude = exclude::exclude(&asked.exclude)?;
    let generated = generated(&aside, &base.commit, &changed).await?;
    let found = judge(&changed, &joined, threshold_milli, |path| is_excluded(&exclude, path), |path| generated.contains(path));

    let (summary, findings) = (summary(&found, threshold_milli), findings(&found));
    let coverage = Coverage {
        covered: found.covered,
        coverable: found.coverable,
        threshold_milli,
        base: base.commit,
        head,
        files: found.files,
        unmeasured: found.unmeasured,
        left_out: found.left_out.into_iter().map(|(path, why)| (path, why.to_owned())).collect(),
        unmapped: joined.unmapped.into_iter().collect(),
        reports: read,
    };
    let mut judgement = Judgement { findings, coverage: Some(coverage), inputs: files, ..Judgement::of(found.verdict, summary) };
    // It looked at each changed file.
    judgement.asked.of_kind = (found.verdict == Verdict::NotApplicable).then(Vec::new);
    Ok(judgement)
}

/// The verdict in words.
fn summary(found: &CoverageResult, threshold_milli: u64) -> String {
    match found.verdict {
        Verdict::NotApplicable => "no coverable lines changed".to_owned(),
        Verdict::Inconclusive => {
            format!("changed source files are not in any report: {}; measure them, or add them to `exclude`", found.unmeasured.join(", "))
        }
        Verdict::Pass if found.coverable == 0 => "none of the changed lines can run, as the reports say".to_owned(),
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
