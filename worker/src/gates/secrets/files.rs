//! Scans files line by line. A finding names the place and the kind, never the secret.

use std::path::Path;

use nofx_shared::gates::{Finding, Severity};

use super::rules::{RULES, entropy, is_harmless};

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

/// The findings in files, and how many files were scanned.
pub(super) fn files(root: &Path, files: Vec<String>, exclude: &[String]) -> (Vec<Finding>, usize) {
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
                format!("the file is {size} bytes, too large to scan; add its path to `exclude`"),
            ));
            continue;
        }
        let Ok(bytes) = std::fs::read(&path) else {
            findings.push(finding(&file, None, Severity::Error, "unreadable", "the file could not be read".to_owned()));
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
