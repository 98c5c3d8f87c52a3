//! Replaces what must not be seen.

use serde_json::Value;

/// How many lines, then characters, are tried for a cut that no secret spans.
const MAX_CUTS: usize = 64;

/// Replaces the values of secrets by `***`.
#[derive(Clone, Default)]
pub struct Mask {
    values: Vec<String>,
}

impl Mask {
    /// Values shorter than four characters are not masked: they would blank out the text around them.
    pub fn new(values: impl IntoIterator<Item = String>) -> Self {
        let mut values: Vec<String> = values.into_iter().filter(|value| value.len() >= 4).collect();
        // A secret that contains another one goes first, or its rest would stay.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        Self { values }
    }

    /// Whether there is a secret in these bytes.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        self.values.iter().any(|value| bytes.windows(value.len()).any(|window| window == value.as_bytes()))
    }

    /// How many bytes the longest secret has.
    pub fn longest(&self) -> usize {
        self.values.first().map_or(0, String::len)
    }

    /// JSON with secrets masked in its texts, also as parts of them, and in its keys; a number that is a secret becomes a text. Not applied to
    /// the JSON's text, where a secret with quotes or line ends is written otherwise.
    pub fn apply_to_json(&self, value: &Value) -> Value {
        match value {
            _ if self.values.is_empty() => value.clone(),
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
        self.values.iter().any(|value| {
            let reach = value.len() - 1;
            let around = &text.as_bytes()[at.saturating_sub(reach)..(at + reach).min(text.len())];
            around.windows(value.len()).any(|window| window == value.as_bytes())
        })
    }

    pub fn apply(&self, text: &str) -> String {
        self.values.iter().fold(text.to_owned(), |text, value| text.replace(value.as_str(), "***"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Mask;

    #[test]
    fn a_secret_inside_another_is_masked_whole() {
        let mask = Mask::new(["hunter2".to_owned(), "hunter2-extended".to_owned()]);
        assert!(mask.is_in(b"xhunter2x") && !mask.is_in(b"hunter") && mask.longest() == 16);
        assert_eq!(mask.apply("a hunter2-extended b hunter2"), "a *** b ***");
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
        assert_eq!(mask.trim_cut_start("middle\nend, a line without an end"), "ine without an end");
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
