//! Scans a text line by line. A finding names the place and the kind, never the secret.

use std::collections::BTreeMap;

use nofx_shared::gates::{Finding, Severity};

use super::files::unscanned;
use super::rules::{RULES, entropy, is_harmless};
use super::stopped::Stopped;

/// With so many findings in one file, the rest of it is not scanned.
const FINDINGS: usize = 10_000;
/// How much of a line is scanned before `is_stopped` is called again, in bytes.
const CHUNK: usize = 128 << 10;
/// How far behind the end of its chunk a secret may end, in bytes: the longest known ones are tokens with headers of 16 KB.
const OVERLAP: usize = 32 << 10;

/// The findings in a text; `is_stopped` is called for each line and for each chunk of a long one.
pub(super) fn scan(file: &str, text: &str, is_stopped: &dyn Fn() -> bool) -> Result<Vec<Finding>, Stopped> {
    let mut findings = vec![];
    for (at, line) in text.lines().enumerate() {
        if line.contains("nofx:allow-secret") {
            continue;
        }
        scan_line(file, u32::try_from(at + 1).ok(), line, is_stopped, &mut findings)?;
        if findings.len() >= FINDINGS {
            let message = format!("the file has {FINDINGS} findings; what follows in it was not scanned");
            findings.push(unscanned(file, "too-many-findings", message));
            break;
        }
    }
    Ok(findings)
}

/// Adds the findings of a line until there are enough.
fn scan_line(
    file: &str,
    number: Option<u32>,
    line: &str,
    is_stopped: &dyn Fn() -> bool,
    findings: &mut Vec<Finding>,
) -> Result<(), Stopped> {
    // Ends of secrets by their starts: no two overlap.
    let mut taken: BTreeMap<usize, usize> = BTreeMap::new();
    let mut next_of_rules = vec![0; RULES.len()];
    let (mut start, mut start_column) = (0, 1);
    while start < line.len() {
        if is_stopped() {
            return Err(Stopped);
        }
        let end = line.floor_char_boundary(start + CHUNK);
        let window = &line[..line.floor_char_boundary(end + OVERLAP)];
        for (rule, next) in RULES.iter().zip(&mut next_of_rules) {
            let (mut byte, mut column) = (start, start_column);
            *next = start.max(*next);
            while *next < end
                && let Some(found) = rule.form.captures_at(window, *next)
                && let Some(whole) = found.get(0)
                // What begins behind the chunk belongs to the next one.
                && whole.start() < end
            {
                *next = whole.end();
                let secret = found.name("s").unwrap_or(whole);
                let overlaps = taken.range(..secret.end()).next_back().is_some_and(|(_, end)| secret.start() < *end);
                if overlaps || entropy(secret.as_str()) < rule.entropy || rule.name == "random-value" && is_harmless(secret.as_str()) {
                    continue;
                }
                taken.insert(secret.start(), secret.end());
                // From the finding before, not from the start of the line.
                column += line[byte..secret.start()].chars().count();
                byte = secret.start();
                findings.push(Finding {
                    file: Some(file.to_owned()),
                    line: number,
                    column: u32::try_from(column).ok(),
                    rule: Some(rule.name.to_owned()),
                    severity: Severity::Error,
                    message: format!("looks like a secret of kind {} ({} characters)", rule.name, secret.as_str().chars().count()),
                });
                if findings.len() >= FINDINGS {
                    return Ok(());
                }
            }
        }
        start_column += line[start..end].chars().count();
        start = end;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use nofx_shared::gates::Finding;

    use super::{CHUNK, FINDINGS, OVERLAP, scan};

    fn findings(text: &str) -> Vec<Finding> {
        scan("a", text, &|| false).expect("not stopped")
    }

    fn rules(text: &str) -> Vec<String> {
        findings(text).into_iter().filter_map(|finding| finding.rule).collect()
    }

    fn columns(text: &str) -> Vec<usize> {
        findings(text).iter().filter_map(|finding| finding.column).map(|column| column as usize).collect()
    }

    /// A key of AWS, made at run time, so that this file holds none.
    fn key() -> String {
        format!("AKIA{}", "Q3EGRZV5XKUT7JNB")
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
            let findings = findings(&line);
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
    #[test]
    fn each_place_of_a_line_is_counted_in_characters_and_reported_once() {
        let github = format!("ghp_{}", "q7Zt2LmX9vKc4RbN8wYh3JpD6sGf1TaE5uQx");
        let line = format!("é {} é {github} é {} token: {github}", key(), key());
        let found = findings(&format!("\n{line}"));
        let places: Vec<_> = found.iter().map(|one| (one.rule.as_deref().expect("a rule"), one.line, one.column)).collect();
        // By rule, and within a rule by place; what one rule found is not found again by another one.
        assert_eq!(
            places,
            [
                ("aws-access-key", Some(2), Some(3)),
                ("aws-access-key", Some(2), Some(69)),
                ("github-token", Some(2), Some(26)),
                ("github-token", Some(2), Some(97)),
            ]
        );
    }

    /// The length of a line does not matter: at the ends of the chunks and behind them.
    #[test]
    fn a_long_line_is_scanned_to_its_end_wherever_its_chunks_end() {
        let key = key();
        for before in [CHUNK - 21, CHUNK - 20, CHUNK - 19, CHUNK - 1, CHUNK, CHUNK + 1, CHUNK + OVERLAP, 3 * CHUNK - 7] {
            let line = format!("{} {key} x", "-".repeat(before - 1));
            assert_eq!(columns(&line), [before + 1], "{before}");
            // No word begins where a chunk does.
            assert_eq!(columns(&format!("{} {key}{key}", "x".repeat(before - 20 - 1))), [0; 0], "{before}");
        }
        // Characters of two bytes: a chunk ends between two of them.
        assert_eq!(columns(&format!("x{} {key}", "é".repeat(CHUNK))), [CHUNK + 3]);
        // A secret may be longer than a key, and what names it may stand in the chunk before.
        let token = format!("eyJ{0}.eyJ{0}.{0}", "q7Zt2LmX9vKc4RbN8wYh3JpD6sGf1TaE5uQx".repeat(250));
        assert_eq!(rules(&format!("{} {token}", "-".repeat(CHUNK - 10))), ["jwt"]);
        assert_eq!(columns(&format!("{} password: q7Zt2LmX9vKc4RbN8wYh3J", "-".repeat(CHUNK - 5))), [CHUNK + 7]);
        // A part of it looks like another one, from the next chunk on.
        assert_eq!(columns(&format!("{} password=abcd1token=q7Zt2LmX9vKc4RbN8wYh3J", "-".repeat(CHUNK - 8))), [CHUNK + 3]);
        assert_eq!(rules(&format!("{} {key} nofx:allow-secret", "-".repeat(3 * CHUNK))), [""; 0]);
    }

    #[test]
    fn so_many_findings_are_enough_in_one_file() {
        let key = key();
        for (count, is_cut) in [(FINDINGS - 1, false), (FINDINGS, true), (600_000, true)] {
            for separator in [' ', '\n'] {
                let found = findings(&format!("{key}{separator}").repeat(count));
                assert_eq!(found.len(), count.min(FINDINGS) + usize::from(is_cut), "{count}");
                let last = found.last().expect("a finding");
                assert_eq!(last.rule.as_deref(), Some(if is_cut { "too-many-findings" } else { "aws-access-key" }));
                assert_eq!(found[FINDINGS - 2].column, Some(if separator == ' ' { (FINDINGS as u32 - 2) * 21 + 1 } else { 1 }));
            }
        }
    }

    #[test]
    fn a_scan_is_asked_whether_it_is_stopped_in_each_chunk_of_a_line_and_in_each_line() {
        for text in [format!("{}{}", "-".repeat(3 * CHUNK), key()), format!("{}{}", "-\n".repeat(3), key())] {
            let asked = Cell::new(0);
            let count = |stop_at: usize| {
                asked.set(0);
                scan("a", &text, &|| asked.replace(asked.get() + 1) == stop_at).ok().map(|findings| findings.len())
            };
            assert_eq!((count(99), asked.get()), (Some(1), 4));
            assert_eq!((count(2), asked.get()), (None, 3));
        }
    }
}
