//! Scripts as arguments, and the end of what they print. Runs nothing: see `processes`.

/// The arguments that run a script with bash; it ends at its first error.
pub(crate) fn script_argv(script: &str) -> Vec<String> {
    ["bash", "-euo", "pipefail", "-c", script].map(str::to_owned).to_vec()
}

/// The last bytes of a text, without half a character.
pub(crate) fn tail(text: &str, bytes: usize) -> &str {
    let mut start = text.len().saturating_sub(bytes);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}
