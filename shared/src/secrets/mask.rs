//! Replaces what must not be seen.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::AhoCorasick;
use serde_json::Value;

use super::forms::forms;

/// How many lines, then characters, are tried for a cut that no secret spans.
const MAX_CUTS: usize = 64;
/// So much of a secret is masked where a text begins or ends within it.
const CUT_BYTES: usize = 8;

/// Replaces secrets by `***`, in all their forms: see `forms`.
#[derive(Clone, Default)]
pub struct Mask {
    /// None: there is nothing to mask.
    searches: Option<Arc<Searches>>,
}

struct Searches {
    /// Longest first.
    forms: Vec<String>,
    whole: AhoCorasick,
    /// Of the forms that are longer: how they begin, and how they end.
    beginnings: AhoCorasick,
    ends: AhoCorasick,
}

impl Mask {
    /// Values shorter than four characters are not masked: they would blank out the text around them.
    pub fn new(values: impl IntoIterator<Item = String>) -> Self {
        let all: BTreeSet<String> = values.into_iter().flat_map(|value| forms(&value)).collect();
        if all.is_empty() {
            return Self::default();
        }
        let mut forms: Vec<String> = all.into_iter().collect();
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        let long = forms.partition_point(|form| form.len() > CUT_BYTES);
        let search = |patterns: Vec<&[u8]>| AhoCorasick::new(patterns).expect("fewer patterns than an automaton can have");
        let searches = Searches {
            whole: search(forms.iter().map(String::as_bytes).collect()),
            beginnings: search(forms[..long].iter().map(|form| &form.as_bytes()[..CUT_BYTES]).collect()),
            ends: search(forms[..long].iter().map(|form| &form.as_bytes()[form.len() - CUT_BYTES..]).collect()),
            forms,
        };
        Self { searches: Some(Arc::new(searches)) }
    }

    /// Whether there is a secret in these bytes.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        self.searches.as_ref().is_some_and(|searches| searches.whole.is_match(bytes))
    }

    /// How many bytes the longest form of a secret has.
    pub fn longest(&self) -> usize {
        self.searches.as_ref().map_or(0, |searches| searches.longest())
    }

    /// JSON with secrets masked in its texts, also as parts of them, and in its keys; a number that is a secret becomes a text. Not applied to
    /// the JSON's text, where a secret with quotes or line ends is written otherwise.
    pub fn apply_to_json(&self, value: &Value) -> Value {
        match value {
            _ if self.searches.is_none() => value.clone(),
            Value::String(text) => Value::String(self.apply(text)),
            Value::Array(items) => items.iter().map(|item| self.apply_to_json(item)).collect(),
            Value::Object(fields) => fields.iter().map(|(key, value)| (self.apply(key), self.apply_to_json(value))).collect(),
            Value::Number(number) => {
                let text = number.to_string();
                let masked = self.apply(&text);
                if masked == text { value.clone() } else { Value::String(masked) }
            }
            Value::Null | Value::Bool(_) => value.clone(),
        }
    }

    /// A text whose end was cut off, without what may be the beginning of a secret there: up to a line's end where there is one.
    pub fn trim_cut_end<'a>(&self, text: &'a str) -> &'a str {
        let limit = text.len().saturating_sub(self.longest().saturating_sub(1));
        let lines = text.rmatch_indices('\n').map(|(at, _)| at + 1).filter(|at| *at <= limit).take(MAX_CUTS);
        let characters = (0..=limit).rev().filter(|at| text.is_char_boundary(*at)).take(MAX_CUTS);
        lines.chain(characters).find(|at| !self.is_across(text, *at)).map_or("", |at| &text[..at])
    }

    /// A text whose beginning was cut off, without what may be the rest of a secret there: from a line's beginning where there is one.
    pub fn trim_cut_start<'a>(&self, text: &'a str) -> &'a str {
        let limit = self.longest().saturating_sub(1).min(text.len());
        let lines = text.match_indices('\n').map(|(at, _)| at + 1).filter(|at| *at >= limit).take(MAX_CUTS);
        let characters = (limit..=text.len()).filter(|at| text.is_char_boundary(*at)).take(MAX_CUTS);
        lines.chain(characters).find(|at| !self.is_across(text, *at)).map_or("", |at| &text[at..])
    }

    /// Whether a secret begins before a place and ends after it.
    fn is_across(&self, text: &str, at: usize) -> bool {
        let Some(searches) = &self.searches else { return false };
        let reach = searches.longest() - 1;
        let begin = at.saturating_sub(reach);
        let around = &text.as_bytes()[begin..(at + reach).min(text.len())];
        searches.whole.find_overlapping_iter(around).any(|found| begin + found.start() < at && at < begin + found.end())
    }

    /// A text with `***` for each secret, and for the part of one that the text begins or ends within.
    pub fn apply(&self, text: &str) -> String {
        let Some(searches) = &self.searches else { return text.to_owned() };
        let mut masked = String::with_capacity(text.len());
        let mut at = 0;
        for found in searches.find(text) {
            masked.push_str(&text[at..found.start]);
            masked.push_str("***");
            at = found.end;
        }
        masked.push_str(&text[at..]);
        masked
    }
}

impl Searches {
    fn longest(&self) -> usize {
        self.forms.first().map_or(0, String::len)
    }

    /// Where there are secrets, in order; those that overlap are one.
    fn find(&self, text: &str) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = self.whole.find_overlapping_iter(text).map(|found| found.range()).collect();
        found.extend(self.cut_start(text));
        found.extend(self.cut_end(text));
        found.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
        let mut merged: Vec<Range<usize>> = vec![];
        for range in found {
            // A form may begin or end within a character of more than one byte only where it is cut.
            let range = floor(text, range.start)..ceil(text, range.end);
            match merged.last_mut() {
                Some(last) if range.start < last.end => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        merged
    }

    /// The rest of a secret, which begins before the text.
    fn cut_start(&self, text: &str) -> Option<Range<usize>> {
        let bytes = text.as_bytes();
        let head = &bytes[..bytes.len().min(self.longest().saturating_sub(1))];
        let is_rest = |form: usize, end: usize| end < self.forms[form].len() && self.forms[form].as_bytes().ends_with(&bytes[..end]);
        let ends = self.ends.find_overlapping_iter(head).filter(|found| is_rest(found.pattern().as_usize(), found.end()));
        ends.map(|found| found.end()).max().map(|end| 0..end)
    }

    /// The beginning of a secret, which ends after the text.
    fn cut_end(&self, text: &str) -> Option<Range<usize>> {
        let bytes = text.as_bytes();
        let from = bytes.len().saturating_sub(self.longest().saturating_sub(1));
        let is_beginning =
            |form: usize, at: usize| bytes.len() - at < self.forms[form].len() && self.forms[form].as_bytes().starts_with(&bytes[at..]);
        let starts = self.beginnings.find_overlapping_iter(&bytes[from..]).map(|found| (found.pattern().as_usize(), from + found.start()));
        starts.filter(|(form, at)| is_beginning(*form, *at)).map(|(_, at)| at).min().map(|at| at..bytes.len())
    }
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

fn ceil(text: &str, at: usize) -> usize {
    (at..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Mask;

    #[test]
    fn a_secret_inside_another_is_masked_whole() {
        let mask = Mask::new(["hunter2".to_owned(), "hunter2-extended".to_owned()]);
        assert!(mask.is_in(b"xhunter2x") && !mask.is_in(b"hunter") && mask.longest() > 16);
        assert_eq!(mask.apply("a hunter2-extended b hunter2"), "a *** b ***");
    }

    #[test]
    fn secrets_that_overlap_are_masked_together() {
        let mask = Mask::new(["begin-shared".to_owned(), "shared-end".to_owned()]);
        assert_eq!(mask.apply("a begin-shared-end b, shared-end"), "a *** b, ***");
    }

    #[test]
    fn a_secret_is_masked_however_it_is_written() {
        use base64::Engine;
        use base64::engine::general_purpose::STANDARD;
        let mask = Mask::new(["p@ss/word \"1\"".to_owned()]);
        for text in ["p%40ss%2Fword%20%221%22".to_owned(), "p%40ss%2fword+%221%22".to_owned(), r#"p@ss/word \"1\""#.to_owned()] {
            assert_eq!(mask.apply(&format!("<{text}>")), "<***>", "{text}");
        }
        let header = format!("Basic {}", STANDARD.encode("someone:p@ss/word \"1\""));
        let masked = mask.apply(&header);
        let left = STANDARD.decode(masked["Basic ".len()..].split("***").next().expect("a part")).unwrap_or_default();
        assert!(masked.contains("***") && !String::from_utf8_lossy(&left).contains("p@ss"), "{masked}");
    }

    #[test]
    fn a_secret_of_several_lines_is_masked_line_by_line() {
        let mask = Mask::new(["-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEFAA\n-----END KEY-----".to_owned()]);
        assert_eq!(mask.apply("+ MIIEvQIBADANBg\n+ kqhkiG9w0BAQEFAA\n"), "+ ***\n+ ***\n");
        let mask = Mask::new([r#"{"private_key": "of the account", "kind": "x"}"#.to_owned()]);
        assert_eq!(mask.apply("key = of the account, kind = x"), "key = ***, kind = x");
    }

    #[test]
    fn what_a_cut_leaves_of_a_secret_is_masked() {
        let mask = Mask::new(["hunter2-hunter3-hunter4".to_owned()]);
        assert_eq!(mask.apply("it was hunter2-hunter3"), "it was ***");
        assert_eq!(mask.apply("hunter3-hunter4 it was"), "*** it was");
        assert_eq!(mask.apply("it was hunter"), "it was hunter", "as anybody writes");
        assert_eq!(Mask::new(["äöüäöüäöü".to_owned()]).apply("zu äöüäöüäö"), "zu ***");
    }

    #[test]
    fn json_is_masked_value_by_value() {
        let mask = Mask::new(["12345".to_owned(), "a \"key\"\nof two lines".to_owned()]);
        let given = json!({"is 12345": [12345, 1234, "x12345x"], "pem": "a \"key\"\nof two lines", "deep": {"none": null, "yes": true}});
        let masked = json!({"is ***": ["***", 1234, "x***x"], "pem": "***", "deep": {"none": null, "yes": true}});
        assert_eq!(mask.apply_to_json(&given), masked);
        assert_eq!(Mask::default().apply_to_json(&given), given);
    }

    #[test]
    fn what_was_cut_ends_and_begins_outside_a_secret() {
        let mask = Mask::new(["begin\nmiddle\nend".to_owned()]);
        assert_eq!(mask.trim_cut_start("middle\nend\nthe line at the cut\nand the next\n"), "and the next\n");
        assert_eq!(mask.trim_cut_start("0123456789 begin\nmiddle\nend\nlast"), "last", "no cut within a secret");
        assert_eq!(mask.trim_cut_start("middle\nend, a line without an end"), "ithout an end");
        assert_eq!(mask.trim_cut_start("end"), "");
        assert_eq!(mask.trim_cut_end("first\nthe line at the cut begin\nmid"), "first\n");
        assert_eq!(mask.trim_cut_end("first, and begin\nmiddle\nend of it"), "first, and ", "no cut within a secret");
        assert_eq!(mask.trim_cut_end("begin\nmiddle"), "");
        // Each place is within a secret: nothing can be shown.
        let mask = Mask::new(["aaaa".to_owned()]);
        assert_eq!((mask.trim_cut_end(&"a".repeat(1000)), mask.trim_cut_start(&"a".repeat(1000))), ("", ""));
        assert_eq!((mask.trim_cut_end("äöü¹²³"), mask.trim_cut_start("äöü¹²³")), ("äöü¹", "ü¹²³"), "no half character");
        assert_eq!((Mask::default().trim_cut_end("a cut\nli"), Mask::default().trim_cut_start("ut\nline\n")), ("a cut\n", "line\n"));
    }
}
