//! The environment that tools of a person get, when a person's command runs them and not a step.

use std::collections::BTreeMap;

use super::read::variables;

/// The environment of this process for tools that judge a working tree: where they and their caches are. Without what would make their
/// verdict another one than in a run (language, git's own variables, what the driver of processes sets), and without secrets: a gate gets
/// those that its step names.
pub fn tool_environment() -> BTreeMap<String, String> {
    variables().into_iter().filter(|(name, _)| is_for_tools(name)).collect()
}

fn is_for_tools(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_secret = ["key", "token", "secret", "password", "passwd", "credential"].iter().any(|word| name.contains(word));
    let is_set_by_us = ["lang", "language", "non_interactive_mode", "nofx_output", "traceparent"].contains(&name.as_str());
    !is_secret && !is_set_by_us && !name.starts_with("lc_") && !name.starts_with("git_")
}

#[cfg(test)]
mod tests {
    use super::is_for_tools;

    #[test]
    fn tools_get_no_secret_and_nothing_that_changes_their_verdict() {
        for name in "PATH HOME CARGO_HOME NODE_PATH TMPDIR CI http_proxy".split(' ') {
            assert!(is_for_tools(name), "{name}");
        }
        let others = "OPENAI_API_KEY NOFX_SECRET_X github_token PGPASSWORD AWS_SECRET_ACCESS_KEY GOOGLE_APPLICATION_CREDENTIALS GIT_DIR \
            GIT_INDEX_FILE LC_ALL LANG NON_INTERACTIVE_MODE";
        for name in others.split_whitespace() {
            assert!(!is_for_tools(name), "{name}");
        }
    }
}
