//! Gates that run one command: the command of the inputs or the one that fits the repository, its findings, the verdict.

use std::path::Path;

use nofx_shared::crypto::digest;
use nofx_shared::engine::Failure;
use nofx_shared::gates::{GateDemand, Input, Severity, Verdict};
use schemars::JsonSchema;
use serde::Deserialize;

use super::context::GateContext;
use super::judgement::Judgement;
use super::kinds::without_a_command;
use super::known::{KnownCommand, detect, unjudged};
use super::program::tool_of;
use super::readers::{self, Format, ToolOutput};
use crate::drivers::Executable;
use crate::workspace::Folder;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Inputs {
    /// Command to run; default: detected from the repository's files.
    command: Option<String>,
    /// Folder below the workspace.
    cwd: Option<String>,
    /// A file below `cwd` that the command writes its findings to (SARIF, JUnit XML, JSON); default: its output is read.
    report: Option<String>,
    /// How to read the findings: `cargo`, `eslint`, `junit`, `lines`, `pytest`, `ruff`, `sarif`, `tsc` or `text` (exit code only).
    /// Default: recognised by content.
    format: Option<Format>,
    /// The minimum severity that fails the gate: `error` (default), `warning` or `info`.
    fail_on: Option<Severity>,
}

/// Largest report.
const REPORT_BYTES: u64 = 256 << 20;

/// Runs the command and reads its findings. `needs_tests`: the verdict is inconclusive when no test ran.
pub(super) async fn judge(
    context: &GateContext<'_>,
    inputs: Inputs,
    known: &[KnownCommand],
    needs_tests: bool,
) -> Result<Judgement, Failure> {
    let folder = context.folder(inputs.cwd.as_deref()).await?;
    let commands: Vec<KnownCommand> = known.to_vec();
    let found = folder.off_loop(move |files| detect(&commands, files).copied()).await?;
    let threshold = inputs.fail_on.unwrap_or(Severity::Error);
    let mut asked = GateDemand {
        cwd: folder_name(inputs.cwd.as_deref()),
        report: inputs.report.clone(),
        format: inputs.format.map(|format| format.name()),
        fail_on: Some(threshold),
        ..GateDemand::default()
    };
    // Whoever names the known command asks for what the gate chooses itself.
    let chosen = found.filter(|one| inputs.command.as_ref().is_none_or(|command| command == one.command));
    let (command, format, report) = match (chosen, inputs.command) {
        (Some(known), _) => (
            known.command.to_owned(),
            Some(inputs.format.unwrap_or(known.format)),
            inputs.report.or_else(|| known.report.map(str::to_owned)),
        ),
        (None, Some(command)) => (command, inputs.format, inputs.report),
        (None, None) => return without_a_command(context, asked, known).await,
    };
    asked.is_known = chosen.is_some() && asked.report.is_none() && asked.format.is_none();
    asked.command = Some(context.mask.apply(&command));
    if let Some(chosen) = chosen {
        match unjudged(context, &folder, &chosen, known).await? {
            Ok(others) => asked.unjudged = others,
            Err(why) => return Ok(Judgement { command: asked.command.clone(), asked, ..Judgement::inconclusive(why) }),
        }
    }
    // A report of an earlier command must not count for this one.
    if let Some(name) = &report {
        folder.remove(name).await?;
    }
    let result = context.run(Executable::script(&command), &folder).await?;
    let written = match &report {
        Some(name) => Some(report_text(&folder, name).await?),
        None => None,
    };
    let tool = tool_of(context, &command, &folder).await?;
    let mut judgement = read(&result.stdout, &result.output, written.as_ref(), format, folder.path());
    if let (Some(name), Some(Ok(text))) = (&report, &written) {
        judgement.inputs.push(Input { name: relative(Path::new(name), folder.path()), digest: digest(text.as_bytes()) });
    }
    // The gate's own report is no part of the work: the tree stays the one that was judged.
    if let Some(name) = chosen.and_then(|known| known.report).filter(|_| asked.report.is_none()) {
        folder.remove(name).await?;
    }
    let failing = judgement.findings.iter().filter(|finding| finding.severity >= threshold).count();
    let failed = judgement.tests.map_or(0, |tests| tests.failed);
    let ran = judgement.tests.map(|tests| tests.passed + tests.failed);
    // bash exits with 127 when a program is missing, with 126 when it cannot be run.
    (judgement.verdict, judgement.summary) = match result.exit_code {
        Some(127 | 126) => (Verdict::Inconclusive, format!("a required tool is missing: {}", context.end_of(&result.output, 500))),
        None => (Verdict::Inconclusive, format!("the tool {}", result.death())),
        Some(0) if judgement.verdict == Verdict::Inconclusive => (Verdict::Inconclusive, judgement.summary),
        Some(_) if failed > 0 => (Verdict::Fail, format!("{failed} of {} tests failed", ran.unwrap_or_default())),
        Some(_) if failing > 0 => {
            let summary = format!("{failing} of {} findings are of severity {threshold:?} or worse", judgement.findings.len());
            (Verdict::Fail, summary.to_lowercase())
        }
        Some(0) if needs_tests && ran == Some(0) => (Verdict::Inconclusive, "no tests ran".to_owned()),
        // A plan's own command may print nothing; its verdict counts only for a policy that asks for no tests.
        Some(0) if needs_tests && ran.is_none() && asked.is_known => {
            (Verdict::Inconclusive, "nothing that the tests printed says how many ran; set `report` to a JUnit XML file".to_owned())
        }
        Some(0) => match (ran, judgement.findings.len()) {
            (Some(ran), _) => (Verdict::Pass, format!("{ran} tests passed")),
            (None, 0) => (Verdict::Pass, "no findings".to_owned()),
            (None, some) => (Verdict::Pass, format!("{some} findings, none severe enough to fail the gate")),
        },
        Some(code) => {
            let end = context.end_of(&result.output, 300);
            (Verdict::Fail, format!("the command exited with code {code}{}{end}", if end.is_empty() { "" } else { ": " }))
        }
    };
    let command = asked.command.clone();
    Ok(Judgement { tool, command, asked, exit_code: result.exit_code, output: result.output, ..judgement })
}

/// A folder of the plan as policies name it; none for the root folder.
pub(super) fn folder_name(cwd: Option<&str>) -> Option<String> {
    let parts: Vec<&str> = cwd?.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// The findings, or the verdict `inconclusive` when they cannot be read.
fn read(stdout: &str, output: &str, written: Option<&Result<String, String>>, format: Option<Format>, dir: &Path) -> Judgement {
    let tool_output = match written {
        Some(Ok(text)) => ToolOutput { stdout: text, output: text },
        Some(Err(error)) => return Judgement::inconclusive(format!("could not read the report: {error}")),
        None => ToolOutput { stdout, output },
    };
    // A report must have a known format; output may be plain text.
    let format = format.or_else(|| readers::recognise(&tool_output)).or_else(|| written.is_none().then_some(Format::Text));
    let Some(format) = format else { return Judgement::inconclusive("unrecognised report format; set `format`") };
    match readers::read(format, &tool_output) {
        Ok(reading) => {
            let mut judgement = Judgement::of(Verdict::Pass, "");
            judgement.findings = reading.findings;
            for file in judgement.findings.iter_mut().filter_map(|finding| finding.file.as_mut()) {
                *file = relative(Path::new(file.as_str()), dir);
            }
            judgement.tests = reading.tests;
            judgement
        }
        Err(error) => Judgement::inconclusive(format!("output is not valid {format:?}: {error}").to_lowercase()),
    }
}

/// The text of a report; the inner error says why it is none.
async fn report_text(folder: &Folder, name: &str) -> Result<Result<String, String>, Failure> {
    Ok(match folder.read(name, REPORT_BYTES).await? {
        Ok(Some(bytes)) => String::from_utf8(bytes).map_err(|_| format!("{name} is not UTF-8")),
        Ok(None) => Err(format!("{name} was not written")),
        Err(why) => Err(format!("{name} {why}")),
    })
}

fn relative(path: &Path, dir: &Path) -> String {
    let inside = path.strip_prefix(dir).unwrap_or(path);
    inside.to_string_lossy().trim_start_matches("./").to_owned()
}
