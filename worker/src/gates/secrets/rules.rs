//! What a secret looks like: a pattern for each kind, how random its value must be, and values that only look like one.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

/// The pattern of one kind of secret: the group `s`, or the whole match, is the secret.
pub(super) struct Rule {
    pub name: &'static str,
    pub form: Regex,
    /// Minimum bits for each character: a less random value is an example.
    pub entropy: f64,
}

pub(super) static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
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

/// Random-looking values that are not secrets: digests, ids, versions, paths, names of other values.
pub(super) fn is_harmless(value: &str) -> bool {
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
pub(super) fn entropy(text: &str) -> f64 {
    let mut counts = BTreeMap::<char, usize>::new();
    for c in text.chars() {
        *counts.entry(c).or_default() += 1;
    }
    let length = text.chars().count() as f64;
    counts.values().map(|count| *count as f64 / length).map(|share| -share * share.log2()).sum()
}
