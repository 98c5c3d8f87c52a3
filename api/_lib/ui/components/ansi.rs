//! Terminal output as HTML: colours of SGR sequences (ECMA-48) as classes; every other control sequence is dropped.

use maud::{Markup, PreEscaped, html};

#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Style {
    /// 0 to 15.
    colour: Option<u8>,
    bold: bool,
}

/// A log as HTML, each line with its number as an anchor. `first` is the number of the first line.
pub(in crate::ui) fn ansi(text: &str, first: usize) -> Markup {
    let mut style = Style::default();
    let lines = text.strip_suffix('\n').unwrap_or(text);
    html! {
        @if !text.is_empty() {
            @for (n, line) in lines.split('\n').enumerate() {
                span.line id={ "L" (first + n) } { (coloured(line, &mut style)) "\n" }
            }
        }
    }
}

fn coloured(line: &str, style: &mut Style) -> Markup {
    let mut out = String::new();
    let mut rest = line;
    loop {
        let at = rest.find(|c: char| c.is_control() && c != '\t');
        let (plain, after) = rest.split_at(at.unwrap_or(rest.len()));
        piece(&mut out, plain, *style);
        let Some(control) = after.chars().next() else { break };
        rest = &after[control.len_utf8()..];
        if control == '\u{1b}' {
            rest = sequence(rest, style);
        }
    }
    PreEscaped(out)
}

fn piece(out: &mut String, text: &str, style: Style) {
    if text.is_empty() {
        return;
    }
    let html = match (style.colour, style.bold) {
        (None, false) => html! { (text) },
        (Some(colour), false) => html! { span class={ "c" (colour) } { (text) } },
        (None, true) => html! { span.b { (text) } },
        (Some(colour), true) => html! { span class={ "b c" (colour) } { (text) } },
    };
    out.push_str(&html.into_string());
}

/// Consumes an escape sequence; returns the rest.
fn sequence<'a>(text: &'a str, style: &mut Style) -> &'a str {
    if let Some(parameters) = text.strip_prefix('[') {
        let Some(end) = parameters.find(|c: char| ('@'..='~').contains(&c)) else { return "" };
        if parameters[end..].starts_with('m') {
            apply(&parameters[..end], style);
        }
        return &parameters[end + 1..];
    }
    if let Some(command) = text.strip_prefix(']') {
        // An operating system command (a title, a link) ends with BEL or ST.
        let end = command.find(['\u{7}', '\u{1b}']).unwrap_or(command.len());
        let after = &command[end..];
        return after.strip_prefix("\u{1b}\\").or_else(|| after.strip_prefix('\u{7}')).unwrap_or(after);
    }
    let mut rest = text.chars();
    rest.next();
    rest.as_str()
}

fn apply(parameters: &str, style: &mut Style) {
    let mut codes = parameters.split(';').map(|code| code.parse::<u16>().unwrap_or(0));
    while let Some(code) = codes.next() {
        match code {
            0 => *style = Style::default(),
            1 => style.bold = true,
            22 => style.bold = false,
            30..=37 => style.colour = u8::try_from(code - 30).ok(),
            90..=97 => style.colour = u8::try_from(code - 90 + 8).ok(),
            39 => style.colour = None,
            // 256 colours and true colours: the first sixteen are ours, the others stay as they are.
            38 => match codes.next() {
                Some(5) => style.colour = codes.next().and_then(|colour| u8::try_from(colour).ok()).filter(|colour| *colour < 16),
                Some(2) => drop((codes.next(), codes.next(), codes.next())),
                _ => {}
            },
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ansi;

    #[test]
    fn colours_become_classes_and_nothing_else_passes() {
        let html = ansi("\u{1b}[1;31mred\u{1b}[0m <b>\u{1b}]0;title\u{7}&\u{1b}[2J\r\u{8}x\nnext\n", 7).into_string();
        assert_eq!(
            html,
            "<span class=\"line\" id=\"L7\"><span class=\"b c1\">red</span> &lt;b&gt;&amp;x\n</span><span class=\"line\" id=\"L8\">next\n</span>"
        );
        assert_eq!(ansi("", 1).into_string(), "");
        assert!(!ansi("\u{1b}[38;2;1;2;3mrgb\u{1b}[38;5;200mx\u{1b}[", 1).into_string().contains('\u{1b}'));
    }
}
