//! What the gates that run one command share: the command that was given or that fits the repository, what it printed, the verdict.

use std::path::Path;

use nofx_shared::crypto::digest;
use nofx_shared::engine::Failure;
use nofx_shared::gates::{Input, Severity, Tool, Verdict};
use schemars::JsonSchema;
use serde::Deserialize;

use super::readers::{self, Format, Said};
use super::{Bench, Judged};
use crate::handlers::bash;
use crate::workspace;

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
pub(super) struct Known {
    /// A file that says what the repository is; its name may end in `*`.
    pub file: &'static str,
    pub command: &'static str,
    /// What it prints must be this: anything else is no proof.
    pub format: Format,
    /// The file that it writes its findings to.
    pub report: Option<&'static str>,
}

impl Known {
    pub(super) const fn new(file: &'static str, command: &'static str, format: Format) -> Self {
        Self { file, command, format, report: None }
    }
}

/// Programs that tell their version, and how.
const VERSIONED: &[&str] = &[
    "cargo",
    "tsc",
    "eslint",
    "ruff",
    "pytest",
    "mypy",
    "semgrep",
    "golangci-lint",
    "node",
    "npm",
    "python",
    "python3",
    "pip-audit",
    "deno",
    "biome",
    "vitest",
    "jest",
];

/// Runs the command and reads what it found. `wants_tests`: a run without a test proves nothing.
pub(super) async fn judge(bench: &Bench<'_>, inputs: Inputs, known: &[Known], wants_tests: bool) -> Result<Judged, Failure> {
    let dir = bash::below(bench.workspace.clone(), inputs.cwd.as_deref())?;
    let found = known.iter().find(|one| is_there(&dir, one.file));
    let (command, format, report) = match (inputs.command, found) {
        (Some(command), _) => (command, inputs.format, inputs.report),
        (None, Some(known)) => (
            known.command.to_owned(),
            Some(inputs.format.unwrap_or(known.format)),
            inputs.report.or_else(|| known.report.map(str::to_owned)),
        ),
        (None, None) => {
            let files = known.iter().map(|one| one.file).collect::<Vec<_>>().join(", ");
            return Ok(Judged::inconclusive(format!("no supported project file found (none of {files}); set `command`")));
        }
    };
    let report = report.map(|name| workspace::below(&dir, &name)).transpose()?;
    // What an earlier command left must not be taken for this one's.
    if let Some(path) = &report {
        drop(std::fs::remove_file(path));
    }
    let ended = bench.run(bash::script_argv(&command), &dir).await?;
    let written = report.as_ref().map(|path| std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display())));
    let tool = tool_of(bench, &command, &dir).await?;
    let mut judged = read(&ended.stdout, &ended.output, written.as_ref(), format, &dir);
    if let (Some(path), Some(Ok(text))) = (&report, &written) {
        judged.inputs.push(Input { name: relative(path, &dir), digest: digest(text.as_bytes()) });
    }
    let least = inputs.fail_on.unwrap_or(Severity::Error);
    let worst = judged.findings.iter().filter(|finding| finding.severity >= least).count();
    let failed = judged.tests.map_or(0, |tests| tests.failed);
    let ran = judged.tests.map(|tests| tests.passed + tests.failed);
    // bash says 127 when a program is not there, 126 when it cannot be run.
    (judged.verdict, judged.summary) = match ended.exit_code {
        Some(127 | 126) => (Verdict::Inconclusive, format!("a required tool is missing: {}", bash::tail(ended.output.trim(), 500))),
        None => (Verdict::Inconclusive, "the tool was killed by a signal".to_owned()),
        Some(0) if judged.verdict == Verdict::Inconclusive => (Verdict::Inconclusive, judged.summary),
        Some(_) if failed > 0 => (Verdict::Fail, format!("{failed} of {} tests failed", ran.unwrap_or_default())),
        Some(_) if worst > 0 => {
            (Verdict::Fail, format!("{worst} of {} findings are of severity {least:?} or worse", judged.findings.len()).to_lowercase())
        }
        Some(0) if wants_tests && ran == Some(0) => (Verdict::Inconclusive, "no test ran".to_owned()),
        Some(0) => match (ran, judged.findings.len()) {
            (Some(ran), _) => (Verdict::Pass, format!("{ran} tests passed")),
            (None, 0) => (Verdict::Pass, "nothing was found".to_owned()),
            (None, some) => (Verdict::Pass, format!("{some} findings, none of which fails the gate")),
        },
        Some(code) => {
            let said = bash::tail(ended.output.trim(), 300);
            (Verdict::Fail, format!("the command exited with code {code}{}{said}", if said.is_empty() { "" } else { ": " }))
        }
    };
    Ok(Judged { tool, command: Some(bench.step.mask.apply(&command)), exit_code: ended.exit_code, printed: ended.output, ..judged })
}

/// What was found, with the verdict `inconclusive` when it cannot be read.
fn read(stdout: &str, output: &str, written: Option<&Result<String, String>>, format: Option<Format>, dir: &Path) -> Judged {
    let said = match written {
        Some(Ok(text)) => Said { stdout: text, output: text },
        Some(Err(error)) => return Judged::inconclusive(format!("could not read the report: {error}")),
        None => Said { stdout, output },
    };
    // A file that was named must hold findings; what is printed may be plain text.
    let format = format.or_else(|| readers::recognise(&said)).or_else(|| written.is_none().then_some(Format::Text));
    let Some(format) = format else { return Judged::inconclusive("unrecognised report format; set `format`") };
    match readers::read(format, &said) {
        Ok(reading) => {
            let mut judged = Judged::of(Verdict::Pass, "");
            judged.findings = reading.findings;
            for file in judged.findings.iter_mut().filter_map(|finding| finding.file.as_mut()) {
                *file = relative(Path::new(file.as_str()), dir);
            }
            judged.tests = reading.tests;
            judged
        }
        Err(error) => Judged::inconclusive(format!("output is not valid {format:?}: {error}").to_lowercase()),
    }
}

/// The program that a command runs, and its version when it is one that tells it.
pub(super) async fn tool_of(bench: &Bench<'_>, command: &str, dir: &Path) -> Result<Tool, Failure> {
    let (name, argv) = program_of(command);
    let version = match argv {
        // A program that is not there has no version; that the gate cannot run was told already.
        Some(argv) => match bench.run(argv, dir).await {
            Ok(ended) if ended.exit_code == Some(0) => {
                ended.stdout.lines().find(|line| !line.trim().is_empty()).map(|line| line.trim().to_owned())
            }
            _ => None,
        },
        None => None,
    };
    Ok(Tool { name, version })
}

/// The name of a command's program, and how to ask for its version.
fn program_of(command: &str) -> (String, Option<Vec<String>>) {
    let mut words = command.split_whitespace().skip_while(|word| word.contains('=') || word.starts_with("--") || *word == "npx");
    let program = words.next().unwrap_or_default();
    let name = program.rsplit('/').next().unwrap_or_default();
    if !VERSIONED.contains(&name) {
        return (name.to_owned(), None);
    }
    let sub = words.next().filter(|word| name == "cargo" && !word.starts_with('-'));
    let mut argv: Vec<&str> = if command.contains("npx ") { vec!["npx", "--no-install", program] } else { vec![program] };
    argv.extend(sub.filter(|sub| matches!(*sub, "clippy" | "nextest" | "audit")));
    argv.push("--version");
    let name = sub.map_or_else(|| name.to_owned(), |sub| format!("{name} {sub}"));
    (name, Some(argv.into_iter().map(str::to_owned).collect()))
}

pub(super) fn is_there(dir: &Path, file: &str) -> bool {
    let Some(prefix) = file.strip_suffix('*') else { return dir.join(file).exists() };
    let mut names = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.any(|name| name.to_string_lossy().starts_with(prefix))
}

pub(super) fn relative(path: &Path, dir: &Path) -> String {
    let real = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    let inside = path.strip_prefix(dir).or_else(|_| path.strip_prefix(&real)).unwrap_or(path);
    inside.to_string_lossy().trim_start_matches("./").to_owned()
}
