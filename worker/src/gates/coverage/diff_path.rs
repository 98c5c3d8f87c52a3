//! Paths in the headers of a diff: prefixed with `a/` or `b/`, and quoted like C when they have special characters.

/// A name without `a/` or `b/`, decoded when git has quoted it.
pub(super) fn name_of(name: &str, is_bare: bool) -> Option<String> {
    let plain = if name.starts_with('"') { unquote(name)?.0 } else { name.strip_suffix('\t').unwrap_or(name).to_owned() };
    if is_bare { Some(plain) } else { plain.strip_prefix("a/").or_else(|| plain.strip_prefix("b/")).map(str::to_owned) }
}

/// The name in `a/name b/name`, when both are the same: otherwise the line is ambiguous.
pub(super) fn both_names(names: &str) -> Option<String> {
    if names.starts_with('"') {
        let (first, rest) = unquote(names)?;
        let (second, _) = unquote(rest.strip_prefix(' ')?)?;
        let first = first.strip_prefix("a/")?;
        return (second.strip_prefix("b/")? == first).then(|| first.to_owned());
    }
    let half = names.len().checked_sub(1)? / 2;
    let (first, second) = (names.get(..half)?.strip_prefix("a/")?, names.get(half + 1..)?.strip_prefix("b/")?);
    (first == second).then(|| first.to_owned())
}

/// Decodes a name that git has quoted like C; returns the rest of the text too.
fn unquote(text: &str) -> Option<(String, &str)> {
    let bytes = text.as_bytes();
    let mut out = vec![];
    let mut at = 1;
    loop {
        match *bytes.get(at)? {
            b'"' => return Some((String::from_utf8_lossy(&out).into_owned(), text.get(at + 1..)?)),
            b'\\' => {
                at += 1;
                match *bytes.get(at)? {
                    b'n' => out.push(b'\n'),
                    b't' => out.push(b'\t'),
                    b'r' => out.push(b'\r'),
                    b'a' => out.push(7),
                    b'b' => out.push(8),
                    b'f' => out.push(12),
                    b'v' => out.push(11),
                    b'0'..=b'3' => {
                        out.push(u8::from_str_radix(text.get(at..at + 3)?, 8).ok()?);
                        at += 2;
                    }
                    other => out.push(other),
                }
            }
            byte => out.push(byte),
        }
        at += 1;
    }
}
