//! Whether what a check says is proven of the commit and the repository that the plan names. The plan's word is no proof: the workspace must
//! be from that repository, and the commit be the one that was judged, with nothing changed.

use nofx_shared::gates::Check;
use reqwest::Url;

/// What may be done with a check.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// It may be shown.
    Proven,
    /// Nothing is known yet of what will be judged: it is not shown before its verdict.
    Later,
    /// It is never shown, and why.
    Refused(String),
}

/// `github`: the address of the forge's API.
pub(super) fn proof_of(check: &Check, github: &str) -> Proof {
    let git = check.workspace.get("git").and_then(serde_json::Value::as_str).unwrap_or_default();
    if git.is_empty() {
        return Proof::Refused(format!("the run has no workspace from {}", check.repository));
    }
    if !is_of_repository(git, &check.repository, github) {
        return Proof::Refused(format!("the run's workspace is from {git}, which is not {}", check.repository));
    }
    if !is_commit(&check.head_sha) {
        return Proof::Refused(format!("head_sha {:?} is not the full name of a commit", check.head_sha));
    }
    let is_pinned = check.workspace["ref"].as_str() == Some(check.head_sha.as_str());
    match &check.judged {
        // Retried: what was judged earlier says nothing of what is judged now.
        _ if check.state != "completed" => {
            if is_pinned {
                Proof::Proven
            } else {
                Proof::Later
            }
        }
        Some(judged) => match &judged.commit {
            Some(commit) if *commit != check.head_sha => Proof::Refused(format!("commit {commit} was judged, not {}", check.head_sha)),
            Some(_) if judged.is_clean != Some(true) => {
                Proof::Refused(format!("the workspace was not exactly {}: it had changes", check.head_sha))
            }
            Some(_) => Proof::Proven,
            None => Proof::Refused("the gate judged no commit of a repository".to_owned()),
        },
        // A `for_each` over nothing succeeds, and one whose steps do not run the gate: nothing was judged.
        None if check.tool.starts_with("gate:") && check.status == "succeeded" => {
            Proof::Refused(format!("{} succeeded without a verdict: nothing was judged", check.tool))
        }
        // Nobody judged: it was decided by people, or failed without a verdict. Then the plan must have pinned the commit.
        None if is_pinned => Proof::Proven,
        None => Proof::Refused(format!("no verdict names a commit; set `workspace.ref` to {}", check.head_sha)),
    }
}

/// Whether git's address is that of a repository of the forge: the same host as its API (or `api.` before it), and the same name.
fn is_of_repository(git: &str, repository: &str, github: &str) -> bool {
    let Some(host) = github.parse::<Url>().ok().and_then(|url| url.host_str().map(str::to_owned)) else { return false };
    let host = host.strip_prefix("api.").unwrap_or(&host);
    let found = match git.parse::<Url>() {
        Ok(url) if matches!(url.scheme(), "https" | "http" | "ssh" | "git") => {
            url.host_str().map(|host| (host.to_owned(), url.path().trim_start_matches('/').to_owned()))
        }
        // `git@host:path`
        _ => git.split_once(':').map(|(host, path)| {
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            (host.to_owned(), path.trim_start_matches('/').to_owned())
        }),
    };
    found.is_some_and(|(of, path)| {
        let path = path.trim_end_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        of.eq_ignore_ascii_case(host) && path.eq_ignore_ascii_case(repository)
    })
}

fn is_commit(name: &str) -> bool {
    matches!(name.len(), 40 | 64) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use nofx_shared::gates::Check;
    use serde_json::{Value, json};

    use super::{Proof, is_of_repository, proof_of};

    const GITHUB: &str = "https://api.github.com";
    const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

    fn check(state: &str, workspace: &Value, judged: &Value) -> Check {
        let check = json!({"step_id": uuid::Uuid::nil(), "tenant_id": uuid::Uuid::nil(), "run_id": uuid::Uuid::nil(), "name": "unit", "tool": "gate:unit",
            "repository": "acme/web", "head_sha": SHA, "state": state, "status": "succeeded", "workspace": workspace, "judged": judged});
        serde_json::from_value(check).expect("a check")
    }

    fn of(state: &str, git: &str, of_ref: &str, judged: &Value) -> Proof {
        proof_of(&check(state, &json!({"git": git, "ref": of_ref}), judged), GITHUB)
    }

    fn why(proof: Proof) -> String {
        match proof {
            Proof::Refused(why) => why,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn only_what_was_judged_at_that_commit_of_that_repository_is_shown() {
        let ours = "https://github.com/acme/web.git";
        let clean = |commit: &str| json!({"commit": commit, "is_clean": true});
        assert_eq!(of("completed", ours, "main", &clean(SHA)), Proof::Proven);
        assert!(why(of("completed", ours, "main", &clean(&"f".repeat(40)))).contains("was judged"));
        assert!(why(of("completed", ours, SHA, &clean(&"f".repeat(40)))).contains("was judged"), "also where the plan pinned it");
        assert!(why(of("completed", ours, SHA, &json!({"commit": SHA, "is_clean": false}))).contains("changes"));
        assert!(why(of("completed", ours, SHA, &json!({"commit": SHA, "is_clean": null}))).contains("changes"));
        assert!(why(of("completed", ours, SHA, &json!({"commit": null, "is_clean": null}))).contains("no commit"));
        assert!(why(of("completed", "https://github.com/acme/other.git", SHA, &clean(SHA))).contains("not acme/web"));
        assert!(why(of("completed", "https://evil.example/acme/web.git", SHA, &clean(SHA))).contains("not acme/web"));
        assert!(why(proof_of(&check("queued", &Value::Null, &Value::Null), GITHUB)).contains("no workspace"));
        let short = Check { head_sha: "abc".to_owned(), ..check("queued", &json!({"git": ours}), &Value::Null) };
        assert!(why(proof_of(&short, GITHUB)).contains("full name"));
    }

    #[test]
    fn before_a_verdict_only_a_pinned_commit_is_shown() {
        let ours = "git@github.com:acme/web.git";
        assert_eq!(of("queued", ours, "main", &Value::Null), Proof::Later);
        assert_eq!(of("in_progress", ours, SHA, &Value::Null), Proof::Proven);
        let by_people = |of_ref: &str| {
            let check = check("completed", &json!({"git": ours, "ref": of_ref}), &Value::Null);
            proof_of(&Check { tool: "manual:look".to_owned(), ..check }, GITHUB)
        };
        assert_eq!(by_people(SHA), Proof::Proven, "people decided");
        assert!(why(by_people("main")).contains("workspace.ref"));
    }

    #[test]
    fn a_gate_that_succeeded_without_a_verdict_is_refused() {
        let of = |status: &str| {
            let check = check("completed", &json!({"git": "git@github.com:acme/web.git", "ref": SHA}), &Value::Null);
            proof_of(&Check { status: status.to_owned(), ..check }, GITHUB)
        };
        assert!(why(of("succeeded")).contains("gate:unit succeeded without a verdict"));
        for status in ["failed", "skipped", "timed_out", "cancelled"] {
            assert_eq!(of(status), Proof::Proven, "{status}: shown as no success");
        }
    }

    #[test]
    fn an_address_is_of_a_repository_by_its_host_and_its_path() {
        for git in [
            "https://github.com/acme/web",
            "https://x@GitHub.com/Acme/Web.git/",
            "ssh://git@github.com/acme/web.git",
            "git@github.com:acme/web.git",
        ] {
            assert!(is_of_repository(git, "acme/web", GITHUB), "{git}");
        }
        assert!(is_of_repository("https://ghe.example:8443/acme/web", "acme/web", "https://ghe.example/api/v3"));
        for git in [
            "/srv/acme/web",
            "file:///github.com/acme/web",
            "https://github.com.evil.example/acme/web",
            "https://github.com@evil.example/acme/web",
            "https://evil.example/github.com:acme/web",
            "git@evil.example:acme/web",
            "https://github.com/acme/web/../other",
            "https://github.com/acme/web.git.git",
            "https://github.com/acme/webs",
            "acme/web",
            "",
        ] {
            assert!(!is_of_repository(git, "acme/web", GITHUB), "{git}");
        }
        assert!(!is_of_repository("https://github.com/acme/web", "acme/web", "no address"));
    }
}
