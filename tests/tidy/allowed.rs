//! Lists of what a rule still allows. They may only shrink: what is new must follow the rule, and a line that is no longer needed must go.

use std::collections::BTreeMap;

use crate::layout::root;

/// Fails unless the list names exactly what was found. Each comes with how to mend it.
pub(crate) fn exactly(list: &str, found: &BTreeMap<String, String>) {
    let path = format!("tests/tidy/allowed/{list}.txt");
    let text = std::fs::read_to_string(root().join(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let problems = differences(&text, found, &path);
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

fn differences(list: &str, found: &BTreeMap<String, String>, path: &str) -> Vec<String> {
    let allowed: Vec<&str> = list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let new = found.iter().filter(|(one, _)| !allowed.contains(&one.as_str())).map(|(one, mend)| format!("{one}: {mend}"));
    let mended = allowed.iter().filter(|one| !found.contains_key(**one));
    new.chain(mended.map(|one| format!("{path}: remove the line `{one}`, it is no longer needed"))).collect()
}

#[cfg(test)]
mod tests {
    use super::differences;

    #[test]
    fn what_is_new_and_what_is_mended_are_both_named() {
        let found = ["a", "c"].map(|one| (one.to_owned(), "mend it".to_owned())).into();
        assert_eq!(differences("# why\na\nb\n", &found, "list"), ["c: mend it", "list: remove the line `b`, it is no longer needed"]);
    }
}
