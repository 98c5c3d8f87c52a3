//! Reads Python, TypeScript and JavaScript as far as the rules of the house need it: the names that stand alone, and the texts, without
//! comments. What stands behind a dot is a name of others.

#[derive(Default, Debug, PartialEq, Eq)]
pub(crate) struct Script<'a> {
    pub names: Vec<&'a str>,
    pub texts: Vec<&'a str>,
}

impl<'a> Script<'a> {
    pub(crate) fn read(text: &'a str, is_python: bool) -> Self {
        let mut found = Self::default();
        let mut rest = text;
        let mut is_behind_dot = false;
        while let Some(first) = rest.chars().next() {
            let length = if let Some(length) = comment(rest, is_python) {
                length
            } else if let Some((content, length)) = string(rest, is_python) {
                found.texts.push(content);
                length
            } else if is_in_word(first) {
                let length = rest.find(|c| !is_in_word(c)).unwrap_or(rest.len());
                found.names.extend(Some(&rest[..length]).filter(|_| !is_behind_dot));
                length
            } else if rest.starts_with("...") {
                3
            } else {
                first.len_utf8()
            };
            is_behind_dot = &rest[..length] == "." || is_behind_dot && first.is_whitespace();
            rest = &rest[length..];
        }
        found
    }
}

fn is_in_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// The length of a comment that begins here.
fn comment(text: &str, is_python: bool) -> Option<usize> {
    let line = || text.find('\n').unwrap_or(text.len());
    match is_python {
        true => text.starts_with('#').then(line),
        false if text.starts_with("//") => Some(line()),
        false => text.strip_prefix("/*").map(|rest| rest.find("*/").map_or(text.len(), |end| end + 4)),
    }
}

/// The content of a string that begins here, and the length of the whole literal.
fn string(text: &str, is_python: bool) -> Option<(&str, usize)> {
    let quotes: &[&str] = if is_python { &["\"\"\"", "'''", "\"", "'"] } else { &["\"", "'", "`"] };
    let quote = quotes.iter().find(|quote| text.starts_with(**quote))?;
    let content = &text[quote.len()..];
    let mut is_escaped = false;
    for (at, c) in content.char_indices() {
        if !is_escaped && content[at..].starts_with(quote) {
            return Some((&content[..at], at + 2 * quote.len()));
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    Some((content, text.len()))
}

#[cfg(test)]
mod tests {
    use super::Script;

    #[test]
    fn names_that_stand_alone_and_texts_of_python_are_read() {
        let text = "import a  # b 'c'\ndef d(e=\"f # g\"):\n    '''h\n    i'''\n    return j.k(l, 'm \\' n') + j . o\n";
        let found = Script::read(text, true);
        assert_eq!(found.names, ["import", "a", "def", "d", "e", "return", "j", "l", "j"]);
        assert_eq!(found.texts, ["f # g", "h\n    i", "m \\' n"]);
    }

    #[test]
    fn names_that_stand_alone_and_texts_of_typescript_are_read() {
        let text = "/* a 'b' */ import { c } from 'd'; // e\nconst f = (...g: h[]) => `i ${j}` + k?.l;";
        let found = Script::read(text, false);
        assert_eq!(found.names, ["import", "c", "from", "const", "f", "g", "h", "k"]);
        assert_eq!(found.texts, ["d", "i ${j}"]);
    }

    #[test]
    fn what_does_not_end_is_read_to_the_end() {
        assert_eq!(Script::read("a = \"b", true), Script { names: vec!["a"], texts: vec!["b"] });
        assert_eq!(Script::read("a /* b", false), Script { names: vec!["a"], texts: vec![] });
        assert_eq!(Script::read("a = \"\"\"b\"", true).texts, ["b\""]);
        assert_eq!(Script::read("é = 'ü'", true), Script { names: vec!["é"], texts: vec!["ü"] });
    }
}
