//! What programs print, for people. Runs nothing: see `processes`.

use std::iter::Peekable;
use std::str::Chars;

/// A text as lines of what can be seen: escape sequences (ECMA-48) are removed whole, a carriage return ends a line as it does on a terminal,
/// and so do the line ends of Unicode; tabs stay.
pub fn printable(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => skip_escape(&mut characters),
            '\r' if characters.peek() == Some(&'\n') => {}
            '\r' | '\u{2028}' | '\u{2029}' => plain.push('\n'),
            '\n' | '\t' => plain.push(character),
            _ if is_printable(character) => plain.push(character),
            _ => {}
        }
    }
    plain
}

/// Whether a character is shown: no control character (Cc), no line end, and none that has no shape of its own and may change what is seen
/// of the others, such as the order in which they stand. That is Unicode's property
/// [`Default_Ignorable_Code_Point`](https://www.unicode.org/Public/16.0.0/ucd/DerivedCoreProperties.txt), and annotations (U+FFF9 and on).
pub fn is_printable(character: char) -> bool {
    let is_invisible = matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}');
    !is_invisible && !character.is_control()
}

/// Skips the rest of an escape sequence: a control sequence (`ESC [`), a control string (`ESC ]`, `P`, `X`, `^`, `_`), or one character.
/// A control string ends at its line, so that an unfinished one hides no more.
fn skip_escape(characters: &mut Peekable<Chars<'_>>) {
    match characters.next_if(|next| !next.is_control()) {
        Some('[') => {
            while characters.next_if(|next| matches!(next, ' '..='?')).is_some() {}
            characters.next_if(|next| matches!(next, '@'..='~'));
        }
        Some(']' | 'P' | 'X' | '^' | '_') => while characters.next_if(|next| !next.is_control()).is_some() {},
        _ => {}
    }
}

/// The last lines of a text that are not empty at its end: at most so many lines, and so many bytes without half a character.
pub(crate) fn last_lines(text: &str, lines: usize, bytes: usize) -> &str {
    let text = text.trim_end();
    let start = text.rmatch_indices('\n').nth(lines - 1).map_or(0, |(at, _)| at + 1);
    tail(&text[start..], bytes)
}

/// The last bytes of a text, without half a character.
pub(crate) fn tail(text: &str, bytes: usize) -> &str {
    let mut start = text.len().saturating_sub(bytes);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

#[cfg(test)]
mod tests {
    use super::{last_lines, printable};

    #[test]
    fn control_characters_and_escape_sequences_are_removed() {
        assert_eq!(printable("\u{1b}[1;31merror\u{1b}[0m: bad\u{7}\r\n\tat \u{0}x\u{9b}"), "error: bad\n\tat x");
        assert_eq!(printable("1%\r2%\rdone"), "1%\n2%\ndone");
        assert_eq!(printable("\u{1b}]8;;https://a.example\u{7}link\u{1b}]8;;\u{1b}\\ end"), "link end");
        assert_eq!(printable("\u{1b}]unfinished\nnext\u{1b}[\u{1b}"), "\nnext");
        assert_eq!(printable("a\u{202a}\u{202e}b\u{2066}\u{2069}c\u{200e}\u{200f}\u{61c}d\u{feff}\u{ad}\u{e0041}e\u{2028}f"), "abcde\nf");
        assert_eq!(printable("häß 日本\u{1b}日"), "häß 日本");
    }

    #[test]
    fn the_last_lines_are_limited_in_lines_and_bytes() {
        let text = (1..=30).map(|n| format!("line {n}\n")).collect::<String>();
        assert_eq!(last_lines(&text, 20, 4096), (11..=30).map(|n| format!("line {n}")).collect::<Vec<_>>().join("\n"));
        assert_eq!(last_lines("one\ntwo\n\n \n", 1, 4096), "two");
        assert_eq!(last_lines(" \n", 20, 4096), "");
        assert_eq!(last_lines(&"ü".repeat(3000), 20, 4095).len(), 4094);
    }
}
