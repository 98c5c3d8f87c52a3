//! Code fences around responses. Models write them even when they are told not to.

/// The response without white space around it, and without the fence (`CommonMark`, 4.5) when one is around all of it.
pub(crate) fn unfenced(response: &str) -> &str {
    let text = response.trim();
    let fence = &text[..text.len() - text.trim_start_matches('`').len()];
    let inside = Some(text).filter(|_| fence.len() >= 3).and_then(|text| text.strip_prefix(fence)?.strip_suffix(fence));
    // The line of the opening fence may name a language. Some models write one line of JSON between the fences.
    match inside
        .and_then(|inside| inside.split_once('\n').map(|(_, rest)| rest).or_else(|| inside.strip_prefix("json").map(str::trim_start)))
    {
        // With another fence inside, the outer ones may be the begin of the first block and the end of the last.
        Some(inside) if !inside.starts_with(fence) && !inside.contains(&format!("\n{fence}")) => inside.trim_end(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::unfenced;

    #[test]
    fn a_fence_around_all_is_removed() {
        for (response, expected) in [
            ("```md\n# Hi\n```", "# Hi"),
            (" \n```\n# Hi\n\n```\n", "# Hi"),
            ("```json\n{\"a\": 1}\n```", "{\"a\": 1}"),
            ("```json {\"a\": 1}```", "{\"a\": 1}"),
            ("```json\r\n{}\r\n```", "{}"),
            ("````md\ntext\n```\ncode\n```\n````", "text\n```\ncode\n```"),
            ("```py\n    pass\n```", "    pass"),
            ("```\n```", ""),
        ] {
            assert_eq!(unfenced(response), expected, "{response:?}");
        }
    }

    #[test]
    fn text_with_fences_inside_stays_as_it_is() {
        for response in
            ["# Hi\n```\ncode\n```", "```\na\n```\nand\n```\nb\n```", "```", "``````", "``x``", "a", "", "```js\nopen", "```x```"]
        {
            assert_eq!(unfenced(response), response, "{response:?}");
        }
    }
}
