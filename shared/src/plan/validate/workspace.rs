//! What git is given of a plan: an address that everyone who sees the run may read, and that git takes for nothing else. The database has the
//! same rules for the default workspace of a tenant.

use serde_json::Value;

use crate::plan::{Step, Workspace};
use crate::problem::Fault;

const FORMS: &str = "must be `https://host/path`, `ssh://git@host/path`, `git@host:path` or an absolute path, at most 2,000 characters";
const CREDENTIALS: &str = "must have no credentials, which everyone who sees the run could read: name the token as a secret of the steps that push, \
                           and remove the part before `@` (docs/repositories.md)";

pub(super) fn check(workspace: &Workspace, faults: &mut Vec<Fault>) {
    if let Some(detail) = fault_of_repository(&workspace.git) {
        faults.push(Fault::new("/workspace/git", detail));
    }
    if workspace.r#ref.as_deref().is_some_and(|name| !is_argument(name, 255)) {
        faults.push(Fault::new("/workspace/ref", "must be a branch, tag or commit of 1 to 255 characters that does not begin with `-`"));
    }
}

/// The repository that a step passes on to the plan that a model makes. Of an expression nothing is known yet.
pub(super) fn check_inputs(step: &Step, at: usize, faults: &mut Vec<Fault>) {
    if step.tool != "plan:make" {
        return;
    }
    let address = step.inputs.get("workspace").and_then(|workspace| workspace.get("git")).and_then(Value::as_str);
    if let Some(detail) = address.filter(|address| !address.contains("${{")).and_then(fault_of_repository) {
        faults.push(Fault::new(format!("/steps/{at}/inputs/workspace/git"), detail));
    }
}

/// Not an option of git, and of one line.
fn is_argument(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.chars().count()) && !text.starts_with('-') && !text.chars().any(char::is_control)
}

/// What is wrong with the address of a repository; none when git may be given it.
pub fn fault_of_repository(address: &str) -> Option<&'static str> {
    if !is_argument(address, 2000) || address.trim() != address {
        return Some(FORMS);
    }
    // Which paths a worker allows its operator decides.
    if address.starts_with('/') {
        return None;
    }
    // Git's own rule: a path has no colon before its first slash. Relative to what, nobody knows.
    if !address.split('/').next().is_some_and(|first| first.contains(':')) {
        return Some(FORMS);
    }
    match address.split_once("://").filter(|(scheme, _)| !scheme.contains([':', '/'])) {
        Some((scheme, rest)) => fault_of_url(scheme, rest.split(['/', '?', '#']).next().unwrap_or_default()),
        None => fault_of_host_and_path(address),
    }
}

/// A token may stand in the place of an HTTPS user, so there is none; SSH needs the user, and a key.
fn fault_of_url(scheme: &str, authority: &str) -> Option<&'static str> {
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    match (scheme, user) {
        ("https", Some(_)) => Some(CREDENTIALS),
        ("ssh", Some(user)) if user.contains(':') => Some(CREDENTIALS),
        ("ssh", Some(user)) if !is_word(user) => Some(FORMS),
        ("https" | "ssh", _) if host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[') => None,
        _ => Some(FORMS),
    }
}

/// `git@host:path`. The second colon of `ext::command` would run the command.
fn fault_of_host_and_path(address: &str) -> Option<&'static str> {
    let (authority, path) = address.split_once(':')?;
    if path.contains('@') {
        return Some(CREDENTIALS);
    }
    let (user, host) = authority.split_once('@').unwrap_or(("git", authority));
    let path = path.strip_prefix('/').unwrap_or(path);
    let is_valid = is_word(user) && is_word(host) && !path.is_empty() && !path.starts_with([':', '/']);
    (!is_valid).then_some(FORMS)
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "._~-".contains(c))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::plan::validate::check;
    use crate::plan::validate::tests::pointers;

    fn plan(workspace: &Value) -> Value {
        json!({"goal": "g", "workspace": workspace, "steps": [{"name": "a", "tool": "noop"}]})
    }

    #[test]
    fn a_repository_has_one_of_four_forms() {
        for good in [
            "https://github.com/acme/web.git",
            "https://host:8443/a/b@c?d",
            "https://[2001:db8::1]/a",
            "ssh://git@host:22/a.git",
            "ssh://host/a",
            "git@host:acme/web.git",
            "host:/srv/a",
            "/srv/a:b@c",
        ] {
            let checked = check(&plan(&json!({"git": good, "ref": "feature/-x"})));
            assert!(checked.is_ok(), "{good}: {:?}", checked.err());
        }
        let long = "a".repeat(2001);
        for bad in [
            "",
            " ",
            "-x",
            "--upload-pack=x",
            " https://host/a",
            "/srv/a\n",
            "/srv/\u{0}a",
            long.as_str(),
            "./a",
            "a/b:c",
            "../neighbour",
            "fd::7",
            "ext::sh -c x",
            "ext::https://host/a",
            "http://host/a",
            "HTTPS://host/a",
            "git://host/a",
            "file:///srv/a",
            "ftp://host/a",
            "https://",
            "https:///a",
            "https://-x/a",
            "ssh://-oProxyCommand=x/a",
            "ssh://-x@host/a",
            "ssh://@host/a",
            "-x@host:a",
            "host:",
            "host:/",
            "host://a",
            ":a",
            "a b:c",
        ] {
            assert_eq!(pointers(&plan(&json!({"git": bad}))), ["/workspace/git"], "{bad:?}");
        }
    }

    #[test]
    fn credentials_are_refused_and_not_repeated() {
        for bad in [
            "https://bot:hunter2@host/x.git",
            "https://hunter2@host/x.git",
            "https://:hunter2@host/x.git",
            "https://bot:hunter2@a@host/x.git",
            "https://bot:hunter2@host",
            "ssh://git:hunter2@host/x.git",
            "git:hunter2@host:x.git",
            "https:/bot:hunter2@host/x.git",
        ] {
            let faults = check(&plan(&json!({"git": bad}))).expect_err("a bad plan");
            assert_eq!(faults.len(), 1, "{bad}");
            assert_eq!(faults[0].pointer, "/workspace/git");
            assert!(
                faults[0].detail.contains("docs/repositories.md") && !faults[0].detail.contains("hunter2"),
                "{bad}: {}",
                faults[0].detail
            );
        }
    }

    #[test]
    fn the_repository_of_a_plan_that_a_model_makes_is_checked_too() {
        let plan = |git: &str| json!({"steps": [{"name": "a", "tool": "plan:make", "inputs": {"prompt": "x", "workspace": {"git": git}}}]});
        assert_eq!(pointers(&plan("https://bot:hunter2@host/x.git")), ["/steps/0/inputs/workspace/git"]);
        assert!(check(&plan("https://host/x.git")).is_ok());
    }

    #[test]
    fn a_ref_is_no_option() {
        let long = "a".repeat(256);
        for bad in ["", "-b", "a\nb", long.as_str()] {
            assert_eq!(pointers(&plan(&json!({"git": "/srv/a", "ref": bad}))), ["/workspace/ref"], "{bad:?}");
        }
    }
}
