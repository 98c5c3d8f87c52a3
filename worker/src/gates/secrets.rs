use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use nofx_shared::engine::Failure;
use nofx_shared::gates::{Finding, Severity, Tool, Verdict};
use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Gate, GateContext, Judgement};

/// Looks for secrets in all files of the workspace: keys of AWS, GitHub, Slack, Google, Stripe, model providers and npm, private
/// keys, JWTs, passwords in URLs, and random-looking values that are assigned to a name like `token` or `password`. Hashes, ids and lock
/// files are not secrets. A line that says `nofx:allow-secret` is skipped. Findings never contain the secret.
#[derive(JsonSchema)]
pub(crate) struct Secrets;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Inputs {
    /// Files that are not scanned, by the start of their paths: `fixtures/`.
    #[serde(default)]
    exclude: Vec<String>,
}

/// Larger files are a finding and not scanned.
const FILE_BYTES: u64 = 32 << 20;
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

/// The pattern of one kind of secret: the group `s`, or the whole match, is the secret.
struct Rule {
    name: &'static str,
    form: Regex,
    /// Minimum bits for each character: a less random value is an example.
    entropy: f64,
}

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let rule = |name, form: &str, entropy| Rule { name, form: Regex::new(form).expect("a regular expression"), entropy };
    vec![
        rule("aws-access-key", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b", 2.5),
        rule("aws-secret-key", r#"(?i)aws.{0,20}?(?:secret|private).{0,20}?["'=:\s](?P<s>[A-Za-z0-9/+]{40})(?:["'\s]|$)"#, 3.5),
        rule("github-token", r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{60,255})\b", 3.0),
        rule("gitlab-token", r"\bglpat-[A-Za-z0-9_-]{20,}\b", 3.0),
        rule("slack-token", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}", 2.5),
        rule("slack-webhook", r"https://hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]{20,}", 3.0),
        rule("google-api-key", r"\bAIza[A-Za-z0-9_-]{35}", 3.0),
        rule("stripe-key", r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}", 3.0),
        rule("anthropic-key", r"\bsk-ant-[A-Za-z0-9_-]{20,}", 3.0),
        rule("openai-key", r"\bsk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{32,}", 3.5),
        rule("npm-token", r"\bnpm_[A-Za-z0-9]{36}\b", 3.0),
        rule("supabase-token", r"\bsb(?:p|_secret)_[A-Za-z0-9_-]{20,}", 3.0),
        rule("private-key", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----", 0.0),
        rule("jwt", r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}", 3.5),
        rule("url-password", r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@'\x22<>{}$]{1,80}:(?P<s>[^\s@/'\x22<>{}$*]{8,})@[a-zA-Z0-9]", 2.8),
        rule(
            "random-value",
            r#"(?i)(?:secret|token|passw(?:or)?d|passwd|api[_-]?key|access[_-]?key|auth[_-]?key|private[_-]?key|credential)[a-z0-9_-]{0,20}["']?\s*(?::|=>|:?=)\s*["']?(?P<s>[A-Za-z0-9+/_=.~!@#%^&*-]{16,200})["']?"#,
            3.6,
        ),
    ]
});

impl Gate for Secrets {
    const TOOL: &'static str = "gate:secrets";
    type Inputs = Inputs;

    async fn judge(context: &GateContext<'_>, inputs: Inputs) -> Result<Judgement, Failure> {
        let git = context.git(&context.workspace);
        let files = if git.is_repository() {
            let tree = git.tree().await?;
            git.files(&tree).await?
        } else {
            let mut files = vec![];
            walk(&context.workspace, &context.workspace, &mut files);
            files
        };
        let workspace = context.workspace.clone();
        let scan = tokio::task::spawn_blocking(move || scan(&workspace, files, &inputs.exclude));
        let (findings, scanned) = scan.await.map_err(|error| Failure::permanent(format!("the scan failed: {error}")))?;
        let secrets = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        let by_rule =
            findings.iter().filter_map(|finding| finding.rule.as_deref()).fold(BTreeMap::<&str, usize>::new(), |mut counts, rule| {
                *counts.entry(rule).or_default() += 1;
                counts
            });
        let summary = if secrets == 0 {
            format!("no secret in {scanned} files")
        } else {
            let kinds = by_rule.iter().map(|(rule, n)| format!("{n} × {rule}")).collect::<Vec<_>>().join(", ");
            format!("{secrets} secrets in {scanned} files: {kinds}; remove and revoke them")
        };
        let verdict = if secrets == 0 { Verdict::Pass } else { Verdict::Fail };
        let tool = Tool { name: "nofx".to_owned(), version: Some(env!("CARGO_PKG_VERSION").to_owned()) };
        Ok(Judgement { findings, tool, ..Judgement::of(verdict, summary) })
    }
}

/// Files below a folder that is no repository.
fn walk(root: &Path, dir: &Path, files: &mut Vec<String>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
        if kind.is_dir() && !matches!(entry.file_name().to_str(), Some(".git" | "node_modules" | "target")) {
            walk(root, &path, files);
        } else if kind.is_file() {
            files.extend(path.strip_prefix(root).ok().map(|path| path.to_string_lossy().into_owned()));
        }
    }
}

fn scan(root: &Path, files: Vec<String>, exclude: &[String]) -> (Vec<Finding>, usize) {
    let mut findings = vec![];
    let mut scanned = 0;
    for file in files {
        let name = file.rsplit('/').next().unwrap_or(&file);
        if LOCK_FILES.contains(&name) || exclude.iter().any(|start| file.starts_with(start.as_str())) {
            continue;
        }
        let path = root.join(&file);
        // The target of a link is scanned under its own name, or is outside of the workspace.
        let Ok((is_file, size)) = path.symlink_metadata().map(|meta| (meta.is_file(), meta.len())) else { continue };
        if !is_file {
            continue;
        }
        if size > FILE_BYTES {
            findings.push(finding(
                &file,
                None,
                Severity::Error,
                "too-large",
                format!("has {size} bytes and was not scanned; add it to `exclude`"),
            ));
            continue;
        }
        let Ok(bytes) = std::fs::read(&path) else {
            findings.push(finding(&file, None, Severity::Error, "unreadable", "could not be read".to_owned()));
            continue;
        };
        scanned += 1;
        // Binary files contain random bytes that look like secrets.
        if bytes.iter().take(8192).any(|byte| *byte == 0) {
            continue;
        }
        scan_text(&file, &String::from_utf8_lossy(&bytes), &mut findings);
    }
    (findings, scanned)
}

fn finding(file: &str, at: Option<(u32, u32)>, severity: Severity, rule: &str, message: String) -> Finding {
    let (line, column) = at.unzip();
    Finding { file: Some(file.to_owned()), line, column, rule: Some(rule.to_owned()), severity, message }
}

fn scan_text(file: &str, text: &str, findings: &mut Vec<Finding>) {
    for (at, line) in text.lines().enumerate() {
        if line.contains("nofx:allow-secret") {
            continue;
        }
        let mut taken: Vec<std::ops::Range<usize>> = vec![];
        for rule in RULES.iter() {
            for found in rule.form.captures_iter(line) {
                let Some(secret) = found.name("s").or_else(|| found.get(0)) else { continue };
                let overlaps = taken.iter().any(|range| range.start < secret.end() && secret.start() < range.end);
                if overlaps || entropy(secret.as_str()) < rule.entropy || rule.name == "random-value" && is_harmless(secret.as_str()) {
                    continue;
                }
                taken.push(secret.range());
                let place = u32::try_from(at + 1).ok().zip(u32::try_from(line[..secret.start()].chars().count() + 1).ok());
                let message = format!("looks like a secret of kind {} ({} characters)", rule.name, secret.as_str().chars().count());
                findings.push(finding(file, place, Severity::Error, rule.name, message));
            }
        }
    }
}

/// Random-looking values that are not secrets: digests, ids, versions, paths, names of other values.
fn is_harmless(value: &str) -> bool {
    let bare = value.trim_end_matches('=');
    let is_hex = bare.len() >= 16 && bare.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    let is_digest = ["sha1-", "sha256-", "sha384-", "sha512-", "sha256:", "md5-"].iter().any(|start| value.starts_with(start));
    let has = |of: fn(&char) -> bool| value.chars().any(|c| of(&c));
    // A generated value mixes digits and letters; a name has only one of them.
    let is_name = !has(char::is_ascii_digit) || !has(char::is_ascii_alphabetic);
    let is_code = value.contains("::") || value.contains("process.env") || value.contains("os.environ") || value.ends_with("()");
    let is_path = value.matches('/').count() >= 2 && value.split('/').all(|part| part.len() < 20) || value.starts_with("http");
    is_hex || is_digest || is_name || is_code || is_path
}

/// Bits for each character.
fn entropy(text: &str) -> f64 {
    let mut counts = BTreeMap::<char, usize>::new();
    for c in text.chars() {
        *counts.entry(c).or_default() += 1;
    }
    let length = text.chars().count() as f64;
    counts.values().map(|count| *count as f64 / length).map(|share| -share * share.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::scan_text;

    fn rules(text: &str) -> Vec<String> {
        let mut findings = vec![];
        scan_text("a", text, &mut findings);
        findings.iter().filter_map(|finding| finding.rule.clone()).collect()
    }

    /// Made at run time, so that this file holds none.
    fn planted() -> Vec<(&'static str, String)> {
        let random = "q7Zt2LmX9vKc4RbN8wYh3JpD6sGf1TaE5uQx";
        vec![
            ("aws-access-key", format!("AKIA{}", "Q3EGRZV5XKUT7JNB")),
            ("aws-secret-key", format!("aws_secret_access_key = {random}Ab/+")),
            ("github-token", format!("token: ghp_{random}")),
            ("slack-token", format!("xoxb-{}-{random}", "123456789012")),
            ("google-api-key", format!("AIza{}", &random[..35])),
            ("private-key", format!("-----BEGIN RSA {} KEY-----", "PRIVATE")),
            ("jwt", format!("eyJ{random}.eyJ{random}.{random}")),
            ("anthropic-key", format!("sk-ant-{random}")),
            ("openai-key", format!("sk-proj-{random}")),
            ("url-password", format!("postgres://app:{}@db.example.com/x", &random[..14])),
            ("random-value", format!("DB_PASSWORD=\"{}\"", &random[..24])),
        ]
    }

    #[test]
    fn planted_secrets_are_found_and_not_repeated() {
        for (rule, line) in planted() {
            let mut findings = vec![];
            scan_text("a", &line, &mut findings);
            assert_eq!(findings.len(), 1, "{rule}: {findings:?}");
            assert_eq!(findings[0].rule.as_deref(), Some(rule));
            assert!(!findings[0].message.contains("q7Zt2"), "{findings:?}");
            assert_eq!(rules(&format!("{line} # nofx:allow-secret")), [""; 0]);
        }
    }

    #[test]
    fn hashes_ids_and_code_are_not_secrets() {
        for line in [
            "checksum = \"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"",
            "token_hash: \"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"",
            "\"integrity\": \"sha512-q7Zt2LmX9vKc4RbN8wYh3JpD6sGf1TaE5uQxq7Zt2LmX9vKc4RbN8wYh3JpD6sGf1TaE5uQx==\"",
            "secret_id = \"0191f0a2-7c3e-7b1a-9d2f-4e5a6b7c8d9e\"",
            "let token = CancellationToken::new().child_token();",
            "api_key: process.env.OPENAI_API_KEY_FOR_PRODUCTION2",
            "password: ${{ secrets.DATABASE_PASSWORD }}",
            "PASSWORD = changemechangeme",
            "commit 4b825dc642cb6eb9a060e54bf8d69288fbee4904",
            "postgres://postgres:postgres@localhost/postgres",
        ] {
            assert_eq!(rules(line), [""; 0], "{line}");
        }
    }
}
