//! Reads Rust as far as the rules of the house need it: words, signs and literals, without comments and without tests. It knows no types
//! and expands no macro.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// An identifier, a keyword or a number.
    Word(&'a str),
    /// `::`, `->`, or one character.
    Sign(&'a str),
    /// The content of a string literal, as it is written.
    Text(&'a str),
}

impl<'a> Token<'a> {
    pub(crate) fn word(self) -> Option<&'a str> {
        if let Token::Word(word) = self { Some(word) } else { None }
    }

    pub(crate) fn text(self) -> Option<&'a str> {
        if let Token::Text(text) = self { Some(text) } else { None }
    }

    pub(crate) fn is(self, written: &str) -> bool {
        matches!(self, Token::Word(one) | Token::Sign(one) if one == written)
    }
}

/// The tokens of a file, without the items that only its tests have: those below `#[cfg(test)]`, `#[test]` and the like.
pub(crate) fn program(text: &str) -> Vec<Token<'_>> {
    let all = tokens(text);
    let mut found = vec![];
    let mut at = 0;
    while at < all.len() {
        let after = after_attributes(&all, at);
        if all[at..after].split(|token| token.is("#")).any(is_for_tests) {
            at = after_item(&all, after);
        } else {
            let next = after.max(at + 1);
            found.extend(&all[at..next]);
            at = next;
        }
    }
    found
}

/// `#[test]`, `#[tokio::test(…)]`, `#[cfg(test)]`, `#[cfg(all(test, …))]`. What `any(test, …)` stands above is in programs, too.
fn is_for_tests(attribute: &[Token<'_>]) -> bool {
    let begins = |words: &[&str]| words.iter().enumerate().all(|(at, word)| attribute.get(at + 1).is_some_and(|token| token.is(word)));
    let is_test = begins(&["test"]) || attribute.get(2..4).is_some_and(|path| path[0].is("::") && path[1].is("test"));
    is_test || begins(&["cfg", "(", "test", ")"]) || begins(&["cfg", "(", "all", "(", "test", ","])
}

/// Where the attributes end that begin here; here if none does.
fn after_attributes(all: &[Token<'_>], mut at: usize) -> usize {
    while all[at..].first().is_some_and(|token| token.is("#")) && all[at + 1..].first().is_some_and(|token| token.is("[")) {
        at = after_brackets(all, at + 1);
    }
    at
}

/// An item ends with its first braces or its semicolon; a field, a variant or an argument with its comma, or before the brackets around it.
fn after_item(all: &[Token<'_>], mut at: usize) -> usize {
    let items = "async const enum extern fn impl let macro_rules mod static struct trait type union unsafe use";
    let visibility = usize::from(all.get(at).is_some_and(|token| token.is("pub")));
    let first = match all.get(at + visibility) {
        Some(open) if visibility == 1 && open.is("(") => after_brackets(all, at + 1),
        _ => at + visibility,
    };
    let is_item = all.get(first).and_then(|token| token.word()).is_some_and(|word| items.split(' ').any(|item| item == word));
    while at < all.len() {
        if all[at].is("{") {
            return after_brackets(all, at);
        }
        if !is_item && [")", "]", "}"].iter().any(|close| all[at].is(close)) {
            return at;
        }
        at = if all[at].is("(") || all[at].is("[") { after_brackets(all, at) } else { at + 1 };
        if all[at - 1].is(";") || !is_item && all[at - 1].is(",") {
            return at;
        }
    }
    at
}

/// Where the brackets end that open here.
fn after_brackets(all: &[Token<'_>], at: usize) -> usize {
    let mut depth = 0;
    for (n, token) in all[at..].iter().enumerate() {
        depth += i32::from(["(", "[", "{"].iter().any(|open| token.is(open)));
        depth -= i32::from([")", "]", "}"].iter().any(|close| token.is(close)));
        if depth == 0 {
            return at + n + 1;
        }
    }
    all.len()
}

/// All tokens, those of tests, too.
pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = vec![];
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (token, length) = if first.is_whitespace() {
            (None, first.len_utf8())
        } else if rest.starts_with("//") {
            (None, rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            (None, comment(rest))
        } else if let Some((content, length)) = string(rest) {
            (Some(Token::Text(content)), length)
        } else if first == '\'' {
            (None, character_or_lifetime(rest))
        } else if is_in_word(first) {
            // A raw identifier: r#type.
            let hidden = if rest.starts_with("r#") { 2 } else { 0 };
            let length = rest[hidden..].find(|c| !is_in_word(c)).map_or(rest.len(), |end| hidden + end);
            (Some(Token::Word(&rest[hidden..length])), length)
        } else {
            let length = if rest.starts_with("::") || rest.starts_with("->") { 2 } else { first.len_utf8() };
            (Some(Token::Sign(&rest[..length])), length)
        };
        found.extend(token);
        rest = &rest[length..];
    }
    found
}

fn is_in_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// The length of a comment in slashes and stars, which may have others in it.
fn comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let (change, length) = match text.as_bytes()[at..] {
            [b'/', b'*', ..] => (1, 2),
            [b'*', b'/', ..] => (-1, 2),
            _ => (0, 1),
        };
        depth += change;
        at += length;
        if depth == 0 {
            break;
        }
    }
    at
}

/// The content of a string that begins here, and the length of the whole literal.
fn string(text: &str) -> Option<(&str, usize)> {
    let unmarked = text.trim_start_matches(['b', 'c']);
    let raw = unmarked.strip_prefix('r').filter(|rest| rest.trim_start_matches('#').starts_with('"'));
    let prefix = text.len() - unmarked.len();
    if prefix > 1 {
        return None;
    }
    if let Some(rest) = raw {
        let marks = rest.len() - rest.trim_start_matches('#').len();
        let begin = prefix + 1 + marks + 1;
        let length = text[begin..].find(&format!("\"{}", "#".repeat(marks))).unwrap_or(text.len() - begin);
        return Some((&text[begin..begin + length], (begin + length + 1 + marks).min(text.len())));
    }
    let content = unmarked.strip_prefix('"')?;
    let mut is_escaped = false;
    for (at, c) in content.char_indices() {
        if c == '"' && !is_escaped {
            return Some((&content[..at], prefix + 1 + at + 1));
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    Some((content, text.len()))
}

/// The length of `'a'`, `'\''` or of the quote of a lifetime, whose name is then a word.
fn character_or_lifetime(text: &str) -> usize {
    let mut inside = text.char_indices().skip(1);
    match inside.next() {
        Some((_, '\\')) => text[3..].find('\'').map_or(text.len(), |end| 3 + end + 1),
        _ => inside.next().filter(|(_, c)| *c == '\'').map_or(1, |(end, _)| end + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::{Token, program};

    fn words(text: &str) -> Vec<&str> {
        program(text).into_iter().filter_map(Token::word).collect()
    }

    #[test]
    fn comments_and_literals_have_no_words() {
        let text = r##"/* a /* b */ c */ fn d(e: &'static str) -> char { // f
            g("h \" i", r#"j " k"#, b"l", '\'', 'm', '"') } "##;
        assert_eq!(words(text), ["fn", "d", "e", "static", "str", "char", "g"]);
    }

    #[test]
    fn the_content_of_a_literal_is_as_it_is_written() {
        let texts: Vec<&str> = program(r##"a("one \n", r#"two"#, r"three")"##).into_iter().filter_map(Token::text).collect();
        assert_eq!(texts, [r"one \n", "two", "three"]);
    }

    #[test]
    fn what_only_tests_have_is_left_out() {
        let text = "fn a() {} #[cfg(test)] mod tests { fn b() { c() } } #[cfg(test)] #[path = \"x\"] mod d; \
                    #[tokio::test(start_paused = true)] async fn e([f]: [u8; 1]) { g } #[derive(Debug)] struct h; #[cfg(not(test))] fn i() {}";
        assert_eq!(words(text), ["fn", "a", "derive", "Debug", "struct", "h", "cfg", "not", "test", "fn", "i"]);
    }

    #[test]
    fn what_programs_have_as_well_as_tests_stays() {
        assert_eq!(words("#[cfg(any(test, x))] fn a() {} b"), ["cfg", "any", "test", "x", "fn", "a", "b"]);
        assert_eq!(words("#[cfg(all(test, x))] fn a() {} b"), ["b"]);
    }

    #[test]
    fn a_field_of_tests_hides_no_more_than_itself() {
        assert_eq!(words("struct A { #[cfg(test)] b: C, d: E } fn f() {}"), ["struct", "A", "d", "E", "fn", "f"]);
        assert_eq!(words("struct A { b: C, #[cfg(test)] pub(crate) d: E } fn f() {}"), ["struct", "A", "b", "C", "fn", "f"]);
        assert_eq!(words("struct A(#[cfg(test)] B); enum C { #[cfg(test)] D(E), F } g"), ["struct", "A", "enum", "C", "F", "g"]);
        assert_eq!(words("#[cfg(test)] pub(super) fn a<B, C>(d: E) {} f"), ["f"]);
    }

    #[test]
    fn a_raw_identifier_is_a_word() {
        assert_eq!(words("r#type rest r"), ["type", "rest", "r"]);
    }
}
