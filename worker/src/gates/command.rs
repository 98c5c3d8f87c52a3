//! Gates that run one command: the command of the inputs or the one that fits the repository, its findings, the verdict.

use std::path::Path;

use nofx_shared::crypto::digest;
use nofx_shared::engine::Failure;
use nofx_shared::gates::{Input, Severity, Verdict};
use schemars::JsonSchema;
use serde::Deserialize;

use super::context::GateContext;
use super::judgement::Judgement;
use super::program::tool_of;
use super::readers::{self, Format, ToolOutput};
use crate::drivers::script_argv;
use crate::workspace::{file_below, folder_below};

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

/// A command that fits repositories with a certain file.
pub(super) struct KnownCommand {
    /// Repositories with this file; its name may end in `*`.
    pub file: &'static str,
    pub command: &'static str,
    /// The output must have this format: any other proves nothing.
    pub format: Format,
    /// The file that it writes its findings to.
    pub report: Option<&'static str>,
}

impl KnownCommand {
    pub(super) const fn new(file: &'static str, command: &'static str, format: Format) -> Self {
        Self { file, command, format, report: None }
    }
}

/// The first command that fits the folder.
pub(super) fn detect<'a>(known: &'a [KnownCommand], dir: &Path) -> Option<&'a KnownCommand> {
    known.iter().find(|one| is_there(dir, one.file))
}

/// Runs the command and reads its findings. `needs_tests`: the verdict is inconclusive when no test ran.
pub(super) async fn judge(
    context: &GateContext<'_>,
    inputs: Inputs,
    known: &[KnownCommand],
    needs_tests: bool,
) -> Result<Judgement, Failure> {
    let dir = folder_below(context.workspace.clone(), inputs.cwd.as_deref())?;
    let found = detect(known, &dir);
    let (command, format, report) = match (inputs.command, found) {
        (Some(command), _) => (command, inputs.format, inputs.report),
        (None, Some(known)) => (
            known.command.to_owned(),
            Some(inputs.format.unwrap_or(known.format)),
            inputs.report.or_else(|| known.report.map(str::to_owned)),
        ),
        (None, None) => {
            let files = known.iter().map(|one| one.file).collect::<Vec<_>>().join(", ");
            return Ok(Judgement::inconclusive(format!("no supported project file found (none of {files}); set `command`")));
        }
    };
    let report = report.map(|name| file_below(&dir, &name)).transpose()?;
    // A report of an earlier command must not count for this one.
    if let Some(path) = &report {
        drop(std::fs::remove_file(path));
    }
    let result = context.run(script_argv(&command), &dir).await?;
    let written = report.as_ref().map(|path| std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display())));
    let tool = tool_of(context, &command, &dir).await?;
    let mut judgement = read(&result.stdout, &result.output, written.as_ref(), format, &dir);
    if let (Some(path), Some(Ok(text))) = (&report, &written) {
        judgement.inputs.push(Input { name: relative(path, &dir), digest: digest(text.as_bytes()) });
    }
    let threshold = inputs.fail_on.unwrap_or(Severity::Error);
    let failing = judgement.findings.iter().filter(|finding| finding.severity >= threshold).count();
    let failed = judgement.tests.map_or(0, |tests| tests.failed);
    let ran = judgement.tests.map(|tests| tests.passed + tests.failed);
    // bash exits with 127 when a program is missing, with 126 when it cannot be run.
    (judgement.verdict, judgement.summary) = match result.exit_code {
        Some(127 | 126) => (Verdict::Inconclusive, format!("a required tool is missing: {}", context.end_of(&result.output, 500))),
        None => (Verdict::Inconclusive, "the tool was killed by a signal".to_owned()),
        Some(0) if judgement.verdict == Verdict::Inconclusive => (Verdict::Inconclusive, judgement.summary),
        Some(_) if failed > 0 => (Verdict::Fail, format!("{failed} of {} tests failed", ran.unwrap_or_default())),
        Some(_) if failing > 0 => {
            let summary = format!("{failing} of {} findings are of severity {threshold:?} or worse", judgement.findings.len());
            (Verdict::Fail, summary.to_lowercase())
        }
        Some(0) if needs_tests && ran == Some(0) => (Verdict::Inconclusive, "no tests ran".to_owned()),
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
    let command = Some(context.mask.apply(&command));
    Ok(Judgement { tool, command, exit_code: result.exit_code, output: result.output, ..judgement })
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

fn is_there(dir: &Path, file: &str) -> bool {
    let Some(prefix) = file.strip_suffix('*') else { return dir.join(file).exists() };
    let mut names = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.any(|name| name.to_string_lossy().starts_with(prefix))
}

fn relative(path: &Path, dir: &Path) -> String {
    let real = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    let inside = path.strip_prefix(dir).or_else(|_| path.strip_prefix(&real)).unwrap_or(path);
    inside.to_string_lossy().trim_start_matches("./").to_owned()
}
