//! `nofx dev` itself: what other users see of its folder, what the log of a job shows, and whoever has no privileges.
#![expect(clippy::disallowed_methods, reason = "starts a stack, and looks at it, as other users")]

use nofx_tests::WAIT_LIMIT;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine;
use nofx_tests::own::Own;
use nofx_tests::people::step;
use nofx_tests::stack::{binary, root};
use reqwest::Method;
use serde_json::{Value, json};

/// Everything below a folder.
fn all_of(folder: &Path) -> Vec<PathBuf> {
    let mut all = vec![];
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            all.extend(all_of(&entry.path()));
        }
        all.push(entry.path());
    }
    all
}

/// Which of these files another user of the machine can read, and which folders list.
fn readable(paths: &[PathBuf]) -> Vec<String> {
    let script = "for path; do if [ -r \"$path\" ]; then printf '%s\\n' \"$path\"; fi; done";
    let mut other = Command::new("setpriv");
    other.args(["--reuid", "61235", "--regid", "61235", "--clear-groups", "--no-new-privs", "bash", "-c", script, "other"]);
    let seen = other.args(paths).output().expect("setpriv");
    assert!(seen.status.success(), "{seen:?}");
    String::from_utf8_lossy(&seen.stdout).lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_data_folder_is_closed_to_other_users() {
    let mut own = Own::start(&Own::folder("closed"), &["--workers", "1"]);
    let script = "echo secret > file; echo out";
    let steps = json!([{"name": "try", "tool": "bash", "inputs": {"script": script, "artifacts": ["file"]}}]);
    let run = own.run(&json!({"goal": "leave files", "steps": steps})).await;
    assert_eq!(run["status"], "succeeded", "{run}");
    let paths = [vec![own.dir.clone()], all_of(&own.dir)].concat();
    for name in ["dev.json", "secrets.json", "worker-0.log", "workspaces", "storage"] {
        assert!(paths.contains(&own.dir.join(name)), "{name} is looked at: {paths:?}");
    }
    // Who the stack's processes are and which schema it has is nobody's secret.
    let open = ["bootstrapped", "migrated", "stack.pid", "dev.log"].map(|name| own.dir.join(name).display().to_string());
    let seen: Vec<String> = readable(&paths).into_iter().filter(|path| !open.contains(path)).collect();
    assert!(seen.is_empty(), "{seen:?}");
    assert_eq!(own.dir.metadata().expect("a folder").permissions().mode() & 0o777, 0o711, "users of steps pass through it");
    assert!(own.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_a_job_has_no_password() {
    for (is_job, settings) in [(true, &[("NON_INTERACTIVE_MODE", "true")][..]), (false, &[("NON_INTERACTIVE_MODE", "false")][..])] {
        let own = Own::start_with(&Own::folder("job"), &["--workers", "0"], settings);
        let people = own.dev()["people"].clone();
        let passwords: Vec<&str> = people.as_array().expect("people").iter().filter_map(|person| person["password"].as_str()).collect();
        assert!(passwords.len() > 3 && passwords.iter().all(|password| password.len() > 8), "{people}");
        // It is the last that it says.
        let begun = Instant::now();
        let log = loop {
            let log = std::fs::read_to_string(own.dir.join("dev.log")).expect("a log");
            if log.contains("Ctrl-C stops it") {
                break log;
            }
            assert!(begun.elapsed() < WAIT_LIMIT, "{log}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let shown = passwords.iter().filter(|password| log.contains(**password)).count();
        assert_eq!((shown, log.contains("with the password in")), if is_job { (0, true) } else { (1, false) }, "{log}");
    }
}

/// What a person without privileges has: this checkout and this program, a name and a folder. Mounted where everybody can get, so that it
/// does not matter where they are. Arguments: the folder, the checkout, the program, then what hides bubblewrap, if anything.
const BECOME: &str = r#"place="$1" checkout="$2" program="$3" hides="$4"; shift 4
touch "$place/nofx"; mkdir -p "$place/checkout"
mount --bind "$program" "$place/nofx"; mount --bind "$checkout" "$place/checkout"
{ cat /etc/passwd; echo "plain:x:61234:61234::/nonexistent:/bin/sh"; } > "$place/passwd"; mount --bind "$place/passwd" /etc/passwd
if [ -n "$hides" ]; then mount --bind "$hides" "$(command -v bwrap)"; fi
cd "$place/checkout"; if [ -e .env ]; then mount --bind .env.example .env; fi
exec setpriv --reuid 61234 --regid 61234 --clear-groups --inh-caps=-all --bounding-set=-all "$place/nofx" "$@""#;

/// A stack of a user without any privilege.
fn start(place: &Path, hides: &str, settings: &[(&str, &str)]) -> Own {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "bash", "-euc", BECOME, "plain"]).arg(place).arg(root()).arg(binary()).arg(hides);
    let data = place.join("data");
    std::fs::create_dir_all(&data).expect("a folder");
    std::os::unix::fs::chown(&data, Some(61234), Some(61234)).expect("it is theirs");
    // Where others make theirs, they may not.
    let temporary = place.join("temporary");
    std::fs::create_dir_all(&temporary).expect("a folder");
    std::os::unix::fs::chown(&temporary, Some(61234), Some(61234)).expect("it is theirs");
    // Folders for tests, in which this is, are not among its toolchains.
    command.env("TMPDIR", &temporary).env("NOFX_TOOLCHAINS", "/usr");
    Own::run_by(command, &data, &["--workers", "1"], settings)
}

fn attempt<'a>(run: &'a Value, name: &str) -> &'a Value {
    &step(run, name)["attempts"][0]
}

/// A step, a gate, and git of the run's own.
fn plan(place: &Path) -> Value {
    let make = format!("git init -q .; echo one > file; test -e {} || echo apart", place.join("data/secrets.json").display());
    json!({"goal": "work without privileges", "steps": [
        {"name": "make", "tool": "bash", "inputs": {"script": make, "artifacts": ["file"]}},
        {"name": "judge", "tool": "gate:unit", "needs": ["make"],
            "inputs": {"command": "printf '<testsuite name=\"s\" tests=\"1\"><testcase name=\"a\"/></testsuite>' > r.xml", "report": "r.xml"}},
    ]})
}

/// What the provenance of an artifact and the evidence of a gate say of isolation.
async fn recorded(own: &Own, run: &Value) -> [Value; 2] {
    let dev = own.dev();
    let artifact = |name: &str| {
        let all = run["artifacts"].as_array().expect("artifacts");
        all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name}: {run}"))["id"].as_str().expect("an id").to_owned()
    };
    let page = own.call(Method::GET, &format!("/api/artifacts/{}/attestations", artifact("file")), None).await.expect("attestations");
    let payload = page["data"][0]["envelope"]["payload"].as_str().expect("a payload");
    let statement = base64::engine::general_purpose::STANDARD.decode(payload).expect("base64");
    let statement: Value = serde_json::from_slice(&statement).expect("JSON");
    let url = format!("{}/api/artifacts/{}/content", dev["api_url"].as_str().expect("a URL"), artifact("gate-unit.json"));
    let client = nofx_shared::net::client();
    let answer = client.get(url).bearer_auth(dev["tokens"]["viewer"].as_str().expect("a token")).send().await.expect("an answer");
    let place = answer.headers()["location"].to_str().expect("a URL").to_owned();
    let evidence: Value = client.get(place).send().await.expect("an answer").json().await.expect("JSON");
    [statement["predicate"]["buildDefinition"]["internalParameters"]["isolation"].clone(), evidence["isolation"].clone()]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_without_privileges_has_namespaces_or_is_refused_or_says_that_nothing_is_isolated() {
    let place = Own::folder("plain");
    std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o711)).expect("others pass through it");

    let own = start(&place, "", &[]);
    let run = own.run(&plan(&place)).await;
    assert_eq!(run["status"], "succeeded", "{run}");
    assert_eq!(step(&run, "make")["outputs"]["stdout"], "apart\n", "what is the same person's is not there");
    for name in ["make", "judge"] {
        let held = &attempt(&run, name)["isolation"];
        assert_eq!((&held["level"], &held["no_new_privs"]), (&json!("L3"), &json!(true)), "{name}: {held}");
        assert!(
            held["namespaces"].as_array().is_some_and(|all| ["mount", "pid", "user"].iter().all(|one| all.contains(&json!(one)))),
            "{held}"
        );
    }
    for isolation in recorded(&own, &run).await {
        assert_eq!(isolation["level"], "L3", "{isolation}");
    }
    drop(own);

    // Where bubblewrap cannot be had, the worker does not start, and says what is missing.
    let own = start(&place, "/dev/null", &[]);
    let begun = Instant::now();
    loop {
        let log = std::fs::read_to_string(own.dir.join("worker-0.log")).unwrap_or_default();
        if log.contains("install bubblewrap and allow user namespaces") {
            assert!(
                log.contains("the worker is not root") && log.contains("NOFX_ISOLATION=none runs steps with all that this user can reach"),
                "{log}"
            );
            break;
        }
        assert!(begun.elapsed() < WAIT_LIMIT, "{log}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let id = own.submit(&plan(&place)).await;
    let run = own.call(Method::GET, &format!("/api/runs/{id}"), None).await.expect("a run");
    assert!(step(&run, "make")["attempts"].as_array().is_none_or(Vec::is_empty), "no worker claims anything: {run}");
    drop(own);

    let own = start(&place, "/dev/null", &[("NOFX_ISOLATION", "none")]);
    let run = own.run(&plan(&place)).await;
    assert_eq!(run["status"], "succeeded", "{run}");
    for name in ["make", "judge"] {
        let held = &attempt(&run, name)["isolation"];
        assert_eq!((&held["level"], &held["driver"], &held["seccomp"]), (&Value::Null, &json!("worker-container"), &Value::Null), "{held}");
    }
    for isolation in recorded(&own, &run).await {
        assert!(isolation.is_object() && isolation["level"].is_null(), "it is recorded that nothing was enforced: {isolation}");
    }
    drop(own);
    std::fs::remove_dir_all(&place).expect("removed");
}
