//! What the command prints, here and nowhere else: data to standard output, talk to standard error. Much of it is text of others, of a server,
//! a repository or a tool: none of it steers the terminal, hides, or looks like a line of ours.

use std::fmt::{Arguments, Write as _};
use std::io::Write;

use nofx_worker::is_printable;

/// Prints one line of data.
pub(crate) fn line(text: Arguments<'_>) {
    data(&one_line(&text.to_string()));
}

/// Prints a document of several lines.
pub(crate) fn document(text: &str) {
    data(&lines(text));
}

/// Prints one line of talk.
pub(crate) fn note(text: Arguments<'_>) {
    talk(&one_line(&text.to_string()));
}

/// Prints talk of several lines.
pub(crate) fn notes(text: &str) {
    talk(&lines(text));
}

/// A reader that closed its end (`nofx events | head`) has read enough: that ends the command with success.
fn data(text: &str) {
    if writeln!(std::io::stdout().lock(), "{text}").is_err() {
        std::process::exit(0);
    }
}

/// Whether anybody reads it does not matter.
fn talk(text: &str) {
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}

fn one_line(text: &str) -> String {
    lines(text).replace(['\n', '\t'], " ")
}

/// Other characters that a terminal acts upon or does not show are written as in JSON: text in JSON keeps its value, and a person sees them.
fn lines(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_printable(character) || matches!(character, '\n' | '\t') {
            shown.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(shown, "\\u{unit:04x}").expect("a text takes all");
            }
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{lines, one_line};

    #[test]
    fn text_of_others_steers_no_terminal_and_is_one_line() {
        assert_eq!(one_line("a\u{1b}[2J\u{9b}1A\u{7}\r\u{7f}"), "a\\u001b[2J\\u009b1A\\u0007\\u000d\\u007f");
        assert_eq!(one_line("evil\u{202e}gpj.exe\u{2066}x\u{200f}\u{61c}"), "evil\\u202egpj.exe\\u2066x\\u200f\\u061c");
        assert_eq!(one_line("fail\npass  secrets\t1\u{2028}2"), "fail pass  secrets 1\\u20282");
        assert_eq!(lines("one\n\ttwo\n"), "one\n\ttwo\n");
        assert_eq!(one_line("häß 日本 ✓ 🦀 עברית"), "häß 日本 ✓ 🦀 עברית");
    }

    #[test]
    fn json_stays_the_same_value() {
        let text: String = (0..0x3000).chain(0xd7f0..0x11_0000).filter_map(char::from_u32).collect();
        let value = json!({ text.clone(): [text, 1, null] });
        for printed in [one_line(&value.to_string()), lines(&serde_json::to_string_pretty(&value).expect("JSON"))] {
            assert_eq!(serde_json::from_str::<Value>(&printed).expect("JSON"), value);
            assert!(!printed.contains(|c: char| c.is_control() && c != '\n' || "\u{202e}\u{2069}\u{e0041}".contains(c)));
        }
    }
}
