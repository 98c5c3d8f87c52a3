//! A model test of the workspace: random plans whose steps write, change, delete and rename files, over three workers that are killed, with
//! gates in between. Each step checks that it begins with what the model says, and what the last gate judged is byte for byte what is committed.
#![expect(clippy::disallowed_methods, reason = "a flag makes it long")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use nix::sys::signal::Signal;
use nofx_tests::own::{Own, is_finished};
use nofx_tests::repository::Repository;
use reqwest::Method;
use serde_json::{Value, json};

/// A deterministic source of random numbers.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

/// Who changed each path, one after the other, and to what; none: it was deleted. Whoever changes a path comes after all who did before, so
/// nothing is in conflict.
#[derive(Default)]
struct Model {
    changes: BTreeMap<String, Vec<(usize, Option<String>)>>,
    /// For each step all that it comes after, and itself.
    seen: Vec<BTreeSet<usize>>,
}

impl Model {
    /// The files that a step has which comes after these.
    fn files(&self, seen: &BTreeSet<usize>) -> BTreeMap<String, String> {
        let last = |changes: &[(usize, Option<String>)]| {
            changes.iter().rev().find(|(step, _)| seen.contains(step)).and_then(|(_, now)| now.clone())
        };
        self.changes.iter().filter_map(|(path, changes)| Some((path.clone(), last(changes)?))).collect()
    }

    /// The paths that nobody beside it changed.
    fn free(&self, seen: &BTreeSet<usize>) -> Vec<String> {
        let is_free = |(_, changes): &(&String, &Vec<(usize, Option<String>)>)| {
            changes.last().is_some_and(|(step, now)| seen.contains(step) && now.is_some())
        };
        self.changes.iter().filter(is_free).map(|(path, _)| path.clone()).collect()
    }

    fn change(&mut self, path: &str, step: usize, now: Option<String>) {
        self.changes.entry(path.to_owned()).or_default().push((step, now));
    }
}

/// Fails unless these files are there, with this content, and no other.
fn check(files: &BTreeMap<String, String>) -> String {
    let mut script = "set -eu\n".to_owned();
    for (path, content) in files {
        let _ = writeln!(script, "test \"$(cat {path})\" = '{content}' || {{ echo '{path} is another' >&2; exit 9; }}");
    }
    let count = "find . -path ./.git -prune -o -type f -print | wc -l";
    let _ = writeln!(script, "test \"$({count})\" = {} || {{ find . -path ./.git -prune -o -type f -print >&2; exit 8; }}", files.len());
    script
}

/// A plan, and the files that it commits in the end.
fn plan(dice: &mut Dice, repository: &Repository, branch: &str) -> (Value, BTreeMap<String, String>) {
    let mut model = Model::default();
    // The checkout comes before all.
    model.seen.push(BTreeSet::from([0]));
    model.change("start", 0, Some("of the repository".to_owned()));
    let mut steps = vec![];
    for step in 1..=8 + dice.roll(5) {
        let mut needs: BTreeSet<usize> = (0..dice.roll(3)).map(|_| 1 + dice.roll(step)).filter(|need| *need < step).collect();
        if step > 3 && dice.roll(2) == 0 {
            needs.insert(step - 1);
        }
        let mut seen: BTreeSet<usize> = needs.iter().flat_map(|need| model.seen[*need].iter().copied()).collect();
        seen.insert(0);
        let mut script = check(&model.files(&seen));
        seen.insert(step);
        let names: Vec<String> = needs.iter().map(|need| format!("s{need}")).collect();
        let name = format!("s{step}");
        let retry = json!({"max_attempts": 3, "initial_ms": 100});
        if dice.roll(4) == 0 {
            script.push_str("echo '1 passed in 0.1s'\n");
            steps.push(json!({"name": name, "tool": "gate:unit", "needs": names, "retry": retry, "inputs": {"command": script, "format": "pytest"}}));
        } else {
            for change in 0..1 + dice.roll(3) {
                let free = model.free(&seen);
                let (old, content) = (free.get(dice.roll(free.len().max(1))).cloned(), format!("{name} {change}"));
                match (dice.roll(4), old) {
                    (1, Some(old)) => {
                        let _ = writeln!(script, "echo '{content}' > {old}");
                        model.change(&old, step, Some(content));
                    }
                    (2, Some(old)) => {
                        let _ = writeln!(script, "rm {old}");
                        model.change(&old, step, None);
                    }
                    (3, Some(old)) => {
                        let new = format!("moved/{name}-{change}");
                        let _ = writeln!(script, "mkdir -p moved; mv {old} {new}");
                        let moved = model.files(&seen).remove(&old);
                        model.change(&old, step, None);
                        model.change(&new, step, moved);
                    }
                    _ => {
                        let new = format!("d{}/{name}-{change}", dice.roll(3));
                        let _ = writeln!(script, "mkdir -p $(dirname {new}); echo '{content}' > {new}");
                        model.change(&new, step, Some(content));
                    }
                }
            }
            steps.push(json!({"name": name, "tool": "bash", "needs": names, "retry": retry, "inputs": {"script": script}}));
        }
        model.seen.push(seen);
    }
    let all: BTreeSet<usize> = model.seen.iter().flatten().copied().collect();
    let files = model.files(&all);
    let names: Vec<String> = (1..model.seen.len()).map(|step| format!("s{step}")).collect();
    let judge = format!("{}echo '1 passed in 0.1s'\n", check(&files));
    steps.extend([
        json!({"name": "judge", "tool": "gate:unit", "needs": names, "inputs": {"command": judge, "format": "pytest"}}),
        json!({"name": "branch", "tool": "git:branch", "needs": ["judge"], "inputs": {"name": branch}}),
        json!({"name": "commit", "tool": "git:commit", "needs": ["branch"], "inputs": {"message": "Change things"}}),
        json!({"name": "push", "tool": "git:push", "needs": ["commit"]}),
    ]);
    (json!({"goal": branch, "workspace": repository.workspace("main"), "steps": steps}), files)
}

/// The files of a branch, by path.
fn committed(repository: &Repository, branch: &str) -> BTreeMap<String, String> {
    let names = repository.git(&["ls-tree", "-r", "--name-only", branch]);
    names.lines().map(|path| (path.to_owned(), repository.git(&["show", &format!("{branch}:{path}")]).trim_end().to_owned())).collect()
}

async fn succeeded(own: &Own) -> i64 {
    let count = "select count(*) from nofx.step where status = 'succeeded'";
    own.sql().await.query_one(count, &[]).await.expect("a count").get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_gate_judged_is_byte_for_byte_what_is_committed() {
    let (seeds, kills) = if std::env::var_os("NOFX_TEST_LONG").is_some() { (40, 12) } else { (3, 2) };
    let settings = [("NOFX_LEASE_S", "3"), ("NOFX_ISOLATION_FLOOR", "L1")];
    let own = Own::start_with(&Own::folder("trees"), &["--workers", "3"], &settings);
    for tool in ["git:commit", "git:push"] {
        let policy = json!({"tool": tool, "requires": [{"gate": "gate:unit", "command": "*", "format": "pytest"}]});
        own.call(Method::POST, "/api/gates/policies", Some(&policy)).await.expect("a policy");
    }
    let repository = Repository::new(&[("start", "of the repository\n")]);
    let mut runs = vec![];
    for seed in 0..seeds {
        let branch = format!("agent/{seed}");
        let (plan, files) = plan(&mut Dice(seed), &repository, &branch);
        runs.push((own.submit(&plan).await, branch, files));
    }
    // Whatever moves meanwhile, a run stays with the commit that it began with.
    for kill in 0..kills {
        let begun = std::time::Instant::now();
        while succeeded(&own).await < 4 + kill * 6 {
            assert!(begun.elapsed() < nofx_tests::WAIT_LIMIT, "no step succeeds");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let worker = usize::try_from(kill % 3).expect("small");
        Own::kill(own.dev()["pids"]["workers"][worker].as_i64().unwrap_or(0), Signal::SIGKILL);
    }
    for (id, branch, files) in runs {
        let run = own.wait(&id, is_finished).await;
        assert_eq!(run["status"], "succeeded", "{branch}: {run}");
        assert_eq!(committed(&repository, &branch), files, "{branch}");
        let tree = repository.git(&["rev-parse", &format!("{branch}^{{tree}}")]);
        let judged = "select g.tree from nofx.gate g join nofx.step s on s.id = g.step_id where s.run_id::text = $1 and s.name = 'judge'";
        let judged: Option<String> = own.sql().await.query_one(judged, &[&id]).await.expect("its verdict").get(0);
        assert_eq!(judged.as_deref(), Some(tree.trim()), "{branch}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_gate_judged_is_not_committed_and_branches_that_differ_are_told_apart() {
    let own = Own::start_with(&Own::folder("ungated"), &["--workers", "2"], &[("NOFX_ISOLATION_FLOOR", "L1")]);
    let policy = json!({"tool": "git:commit", "requires": [{"gate": "gate:unit", "command": "*", "format": "pytest"}]});
    own.call(Method::POST, "/api/gates/policies", Some(&policy)).await.expect("a policy");
    let repository = Repository::new(&[("start", "here\n"), (".gitignore", "ignored\n")]);
    let bash = |name: &str, needs: &[&str], script: &str| json!({"name": name, "tool": "bash", "needs": needs, "retry": {"max_attempts": 1}, "inputs": {"script": script}});
    let unit = |needs: &[&str]| json!({"name": "unit", "tool": "gate:unit", "needs": needs, "inputs": {"command": "echo made > ignored; echo '1 passed in 0.1s'", "format": "pytest"}});
    let commit = |needs: &[&str], more: Value| {
        let mut inputs = json!({"message": "Change"});
        inputs.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        json!({"name": "commit", "tool": "git:commit", "needs": needs, "inputs": inputs})
    };
    let plan = |steps: Vec<Value>| json!({"goal": "x", "workspace": repository.workspace("main"), "steps": steps});
    let status = |run: &Value, name: &str| {
        let step = run["steps"].as_array().and_then(|steps| steps.iter().find(|step| step["name"] == name)).cloned().unwrap_or_default();
        (step["status"].as_str().unwrap_or_default().to_owned(), step["error"]["message"].as_str().unwrap_or_default().to_owned())
    };

    let write = bash("write", &[], "echo one > one; echo two > two");
    let run = own.run(&plan(vec![write.clone(), unit(&["write"]), commit(&["unit"], json!({}))])).await;
    assert_eq!(run["status"], "succeeded", "an ignored file of a gate is no change: {run}");

    let after = bash("after", &["unit"], "echo more >> one");
    let run = own.run(&plan(vec![write.clone(), unit(&["write"]), after, commit(&["after"], json!({}))])).await;
    let (ended, why) = status(&run, "commit");
    assert!(ended == "failed" && why.contains("for the tree that the step begins with"), "{ended}: {why}");

    let run = own.run(&plan(vec![write.clone(), unit(&["write"]), commit(&["unit"], json!({"paths": ["one"]}))])).await;
    let (ended, why) = status(&run, "commit");
    assert!(ended == "failed" && why.contains("was not judged"), "half of it is another tree; {ended}: {why}");

    let (left, right) =
        (bash("left", &["write"], "echo left > one; echo l > ignored"), bash("right", &["write"], "echo right > one; echo r > ignored"));
    let join = bash("join", &["left", "right"], "cat one");
    let run = own.run(&plan(vec![write.clone(), left.clone(), right, join])).await;
    let (ended, why) = status(&run, "join");
    assert!(ended == "failed" && ["`left`", "`right`", "`one`"].iter().all(|name| why.contains(name)), "{ended}: {why}");

    let right = bash("right", &["write"], "echo right > three; echo r > ignored");
    let join = bash("join", &["left", "right"], "test $(cat one three two | tr -d '\\n') = leftrighttwo; test ! -e ignored");
    let run = own.run(&plan(vec![write, left, right, join])).await;
    assert_eq!(run["status"], "succeeded", "{run}");

    // The branch moves while the run waits: its checkout does not.
    let ask = json!({"name": "ask", "tool": "manual:x", "needs": ["first"]});
    let id = own.submit(&plan(vec![bash("first", &[], "cat start"), ask, bash("later", &["ask"], "test \"$(cat start)\" = here")])).await;
    let run = own.wait(&id, |run| run["gates"][0]["status"] == "pending").await;
    repository.commit(&[("start", "elsewhere\n")]);
    let path = format!("/api/gates/{}/approve", run["gates"][0]["id"].as_str().expect("an id"));
    own.call(Method::POST, &path, Some(&json!({"reason": "go on"}))).await.expect("approved");
    assert_eq!(own.wait(&id, is_finished).await["status"], "succeeded");
}
