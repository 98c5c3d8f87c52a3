/// Letters that fit into a box.
const MAX_CHARS: usize = 22;

/// Text that fits into a box: a long one ends with `…`.
pub(crate) fn shorten(text: &str) -> String {
    if text.chars().count() <= MAX_CHARS { text.to_owned() } else { text.chars().take(MAX_CHARS - 1).chain(['…']).collect() }
}
