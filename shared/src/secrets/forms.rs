//! The forms in which a secret may appear: itself, its lines, the leaves of its JSON, and each of these in base64, URL-encoded or escaped in JSON.

use std::collections::BTreeSet;
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::Value;

/// Shorter values are not masked: they would blank out the text around them.
const SHORTEST: usize = 4;
/// Shortest line or leaf that is masked by itself.
const SHORTEST_PART: usize = 8;
/// Shortest piece of base64.
const SHORTEST_BASE64: usize = 6;
/// Longest part that is also searched for in other forms: how much output is held back follows the longest form.
const LONGEST_ENCODED: usize = 8 << 10;
/// Most parts of one secret.
const MAX_PARTS: usize = 2000;
/// Where programs break base64 into lines: MIME, PEM.
const BASE64_LINES: [usize; 2] = [76, 64];
/// What URL encoders leave as it is beside letters and digits: RFC 3986, paths, encodeURIComponent, forms.
const LEFT_ALONE: [&[u8]; 4] = [b"-._~", b"-._~/", b"-._~!*'()", b"-._*"];

/// All forms of a secret; none of one that is too short.
pub(super) fn forms(secret: &str) -> BTreeSet<String> {
    let mut parts = BTreeSet::from([secret.to_owned()]);
    parts.extend(secret.lines().map(|line| line.trim().to_owned()).filter(|line| line.len() >= SHORTEST_PART).take(MAX_PARTS));
    if let Ok(value @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(secret) {
        let mut leaves = vec![];
        add_leaves(&value, &mut leaves);
        parts.extend(
            leaves.iter().flat_map(|leaf| leaf.lines()).map(|line| line.trim().to_owned()).filter(|line| line.len() >= SHORTEST_PART),
        );
        parts.extend(leaves);
    }
    let mut all = BTreeSet::new();
    for part in parts.into_iter().filter(|part| part.len() >= SHORTEST) {
        if part.len() <= LONGEST_ENCODED {
            add_base64(&part, &mut all);
            add_url_encoded(&part, &mut all);
            add_escaped(&part, &mut all);
        }
        all.insert(part);
    }
    all
}

fn add_leaves(value: &Value, leaves: &mut Vec<String>) {
    if leaves.len() >= MAX_PARTS {
        return;
    }
    match value {
        Value::String(text) if text.len() >= SHORTEST_PART => leaves.push(text.clone()),
        Value::Number(number) if number.to_string().len() >= SHORTEST_PART => leaves.push(number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| add_leaves(item, leaves)),
        Value::Object(fields) => fields.values().for_each(|value| add_leaves(value, leaves)),
        _ => {}
    }
}

/// What of base64 depends on the secret alone, wherever it begins within three bytes; also URL-safe, and in lines.
fn add_base64(part: &str, all: &mut BTreeSet<String>) {
    for before in 0..3 {
        let encoded = STANDARD_NO_PAD.encode([&[0; 3][..before], part.as_bytes()].concat());
        let (begin, end) = ((before * 8).div_ceil(6), (before + part.len()) * 8 / 6);
        let piece = &encoded[begin..end];
        let mut pieces = vec![piece];
        if before == 0 {
            let whole = piece.as_bytes();
            pieces.extend(BASE64_LINES.into_iter().filter(|width| whole.len() > *width).flat_map(|width| {
                // Base64 is ASCII.
                whole.chunks(width).filter_map(|line| std::str::from_utf8(line).ok()).filter(|line| line.len() >= 2 * SHORTEST_BASE64)
            }));
        }
        for piece in pieces.into_iter().filter(|piece| piece.len() >= SHORTEST_BASE64) {
            all.insert(piece.replace('+', "-").replace('/', "_"));
            all.insert(piece.to_owned());
        }
    }
}

fn add_url_encoded(part: &str, all: &mut BTreeSet<String>) {
    for left_alone in LEFT_ALONE {
        let encoded = part.bytes().fold(String::with_capacity(part.len()), |mut text, byte| {
            if byte.is_ascii_alphanumeric() || left_alone.contains(&byte) {
                text.push(char::from(byte));
            } else {
                // Writing to a text does not fail.
                let _ = write!(text, "%{byte:02X}");
            }
            text
        });
        all.insert(lower_escapes(&encoded.replace("%20", "+")));
        all.insert(encoded.replace("%20", "+"));
        all.insert(lower_escapes(&encoded));
        all.insert(encoded);
    }
}

/// `%2F` as `%2f`.
fn lower_escapes(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (digits, rest) = part.split_at(2.min(part.len()));
        format!("{text}%{}{rest}", digits.to_ascii_lowercase())
    })
}

/// As text within JSON, as JSON within JSON, and as writers do that escape slashes or all that is not ASCII.
fn add_escaped(part: &str, all: &mut BTreeSet<String>) {
    let once = escaped(part);
    let ascii = once.chars().fold(String::with_capacity(once.len()), |mut text, character| {
        if character.is_ascii() {
            text.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
        text
    });
    all.insert(escaped(&once));
    all.insert(once.replace('/', "\\/"));
    all.insert(ascii);
    all.insert(once);
}

fn escaped(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    use super::forms;

    #[test]
    fn base64_is_known_wherever_it_begins() {
        let secret = "hunter2?>~ü";
        let known = forms(secret);
        for before in ["", "a", "ab", "abc", "user:"] {
            for after in ["", "x", "yz"] {
                let text = format!("{before}{secret}{after}");
                for encoded in [STANDARD.encode(&text), URL_SAFE.encode(&text)] {
                    assert!(known.iter().any(|form| encoded.contains(form)), "{text}: {encoded}");
                }
            }
        }
    }

    #[test]
    fn a_secret_of_lines_or_of_json_is_known_by_its_parts() {
        let pem = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nshort\n-----END KEY-----\n";
        let known = forms(pem);
        assert!(known.contains("MIIEvQIBADANBgkqhkiG9w0B") && !known.contains("short") && known.contains(&pem.replace('\n', "\\n")));
        let known =
            forms(r#"{"client": {"id": "id-of-the-client", "key": "first line\nsecond line"}, "n": 123456789012, "t": "x", "b": true}"#);
        for part in ["id-of-the-client", "first line\nsecond line", "second line", "first line", "123456789012"] {
            assert!(known.contains(part), "{part}");
        }
        assert!(!known.contains("x") && !known.contains("true") && !known.contains("client"));
    }

    #[test]
    fn a_secret_is_known_as_it_is_written_in_urls_and_json() {
        let known = forms("a b/c\"é(1)");
        for form in [
            "a%20b%2Fc%22%C3%A9%281%29",
            "a+b%2Fc%22%C3%A9%281%29",
            "a%20b%2fc%22%c3%a9%281%29",
            "a%20b/c%22%C3%A9%281%29",
            "a%20b%2Fc%22%C3%A9(1)",
            "a b/c\\\"é(1)",
            "a b\\/c\\\"é(1)",
            "a b/c\\\"\\u00e9(1)",
            "a b/c\\\\\\\"é(1)",
        ] {
            assert!(known.contains(form), "{form}: {known:?}");
        }
        assert!(forms("abc").is_empty());
    }

    #[test]
    fn base64_in_lines_is_known_line_by_line() {
        let secret: String = ('!'..='~').cycle().take(300).collect();
        let known = forms(&secret);
        let encoded = STANDARD.encode(&secret);
        for width in [64, 76] {
            let lines: Vec<&str> = encoded.as_bytes().chunks(width).filter_map(|line| std::str::from_utf8(line).ok()).collect();
            assert!(lines[..lines.len() - 1].iter().all(|line| known.contains(*line)), "{width}");
        }
    }
}
