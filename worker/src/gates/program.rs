//! The program that a gate's command runs, for the evidence: its name, and the version that it prints itself.

use nofx_shared::engine::Failure;
use nofx_shared::gates::Tool;

use super::context::GateContext;
use crate::drivers::Executable;
use crate::workspace::Folder;

/// Programs that have `--version`.
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
    "pnpm",
    "yarn",
    "uv",
    "govulncheck",
    "deno",
    "biome",
    "vitest",
    "jest",
];

/// The program that a command runs, with its version if it has `--version`.
pub(super) async fn tool_of(context: &GateContext<'_>, command: &str, folder: &Folder) -> Result<Tool, Failure> {
    let (name, argv) = program_of(command);
    let version = match argv {
        // A missing program has no version; the verdict says already that it is missing.
        Some(argv) => match context.run(Executable::Argv(argv), folder).await {
            Ok(result) if result.exit_code == Some(0) => {
                result.stdout.lines().find(|line| !line.trim().is_empty()).map(|line| line.trim().to_owned())
            }
            _ => None,
        },
        None => None,
    };
    Ok(Tool { name, version })
}

/// The name of a command's program, and the command that prints its version.
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
