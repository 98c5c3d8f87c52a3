//! Lists of what a rule still allows. They may only shrink: what is new must follow the rule, a line that is no longer needed must go, and
//! the number of lines stands in the test.

use std::collections::BTreeMap;

use crate::layout::root;

/// Fails unless the list names exactly what was found, in so many lines. Each comes with how to mend it.
pub(crate) fn exactly(list: &str, length: usize, found: &BTreeMap<String, String>) {
    let path = format!("tests/tidy/allowed/{list}.txt");
    let text = std::fs::read_to_string(root().join(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let problems = differences(&text, length, found, &path);
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

fn differences(list: &str, length: usize, found: &BTreeMap<String, String>, path: &str) -> Vec<String> {
    let allowed: Vec<&str> = list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let new = found.iter().filter(|(one, _)| !allowed.contains(&one.as_str())).map(|(one, mend)| format!("{one}: {mend}"));
    let mended = allowed.iter().filter(|one| !found.contains_key(**one));
    let mended = mended.map(|one| format!("{path}: remove the line `{one}`, it is no longer needed"));
    let count = (allowed.len() != length)
        .then(|| format!("{path} has {} lines and may have {length}: mend what is new, or lower the number", allowed.len()));
    new.chain(mended).chain(count).collect()
}

#[cfg(test)]
mod tests {
    use super::differences;

    #[test]
    fn what_is_new_and_what_is_mended_are_both_named() {
        let found = ["a", "c"].map(|one| (one.to_owned(), "mend it".to_owned())).into();
        assert_eq!(differences("# why\na\nb\n", 2, &found, "list"), ["c: mend it", "list: remove the line `b`, it is no longer needed"]);
    }

    #[test]
    fn a_list_does_not_grow() {
        let found = ["a", "b"].map(|one| (one.to_owned(), "mend it".to_owned())).into();
        assert_eq!(differences("a\nb\n", 1, &found, "list"), ["list has 2 lines and may have 1: mend what is new, or lower the number"]);
        assert!(differences("a\nb\n", 2, &found, "list").is_empty());
    }
}
