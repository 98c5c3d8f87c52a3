//! What a plan asks of its gates, against what a policy asks of them.

use nofx_tests::people::{status, step};
use nofx_tests::repository::{Repository, path_with_tools};
use nofx_tests::{Person, Tenant};
use serde_json::{Value, json};

/// A tenant whose `bash` needs these gates; its contributor.
async fn requiring(requires: Value) -> Person {
    let tenant = Tenant::new().await;
    let (code, policy) = tenant.admin().post("/api/gates/policies", json!({"tool": "bash", "requires": requires})).await;
    assert_eq!(code, 200, "{policy}");
    tenant.contributor()
}

/// Runs gates, each with its inputs, and then what needs them.
async fn run(person: &Person, repository: &Repository, git_ref: &str, steps: Vec<Value>) -> Value {
    let mut steps = steps;
    let mut go = json!({"name": "go", "tool": "bash", "inputs": {"script": "true"}});
    // Without any needs they run in order.
    if steps.iter().any(|step| step.get("needs").is_some()) {
        go["needs"] = steps.iter().map(|step| step["name"].clone()).collect();
    }
    steps.push(go);
    person.run(json!({"goal": "asked", "workspace": repository.workspace(git_ref), "steps": steps})).await
}

fn gate(name: &str, inputs: &Value) -> Value {
    json!({"name": name, "tool": format!("gate:{name}"), "inputs": inputs, "env": {"PATH": path_with_tools()}, "on_failure": "continue"})
}

/// Why the step behind the gates did not run.
fn why(run: &Value) -> String {
    step(run, "go")["error"]["message"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn what_does_not_apply_to_a_repository_is_open_by_its_files() {
    let person = requiring(json!(["gate:typecheck", "gate:lint", "gate:unit", "gate:coverage"])).await;
    let repository = Repository::new(&[("README.md", "words\n")]);
    let names = ["typecheck", "lint", "unit", "coverage"];
    let gates = |needs: &[&str]| {
        names.map(|name| json!({"name": name, "tool": format!("gate:{name}"), "needs": needs, "on_failure": "continue"})).to_vec()
    };
    let judged = run(&person, &repository, "main", gates(&[])).await;
    assert_eq!(judged["status"], "succeeded", "{judged}");
    for name in names {
        let evidence = person.evidence(&judged, name).await;
        assert_eq!((&evidence["verdict"], &evidence["asked"]["of_kind"]), (&json!("not_applicable"), &json!([])), "{evidence}");
        assert_eq!(evidence["asked"]["base_from"], "remote", "{evidence}");
    }

    // A file of their kind, whoever says that there is none.
    repository.commit(&[("tools/a.py", "x = 1\n")]);
    let judged = run(&person, &repository, "main", gates(&[])).await;
    assert_eq!((status(&judged, "unit"), status(&judged, "go")), ("failed", "skipped"), "{judged}");
    let evidence = person.evidence(&judged, "unit").await;
    assert_eq!((&evidence["verdict"], &evidence["asked"]["of_kind"]), (&json!("inconclusive"), &json!(["tools/a.py"])), "{evidence}");
    // A step that removes it does not make it none: it was there.
    let mut steps = vec![json!({"name": "hide", "tool": "workspace:write", "inputs": {"remove": ["tools/a.py"]}})];
    steps.extend(gates(&["hide"]));
    let judged = run(&person, &repository, "main", steps).await;
    assert_eq!(person.evidence(&judged, "unit").await["verdict"], "inconclusive", "{judged}");
}

#[tokio::test]
async fn a_known_tool_counts_and_a_weaker_question_does_not() {
    let asks = json!([{"gate": "gate:unit", "env": ["PATH"]}, {"gate": "gate:lint", "env": ["PATH"], "fail_on": "warning"}]);
    let person = requiring(asks).await;
    let repository = Repository::new(&[
        ("pyproject.toml", "[project]\nname = \"x\"\nversion = \"1\"\n"),
        ("test_a.py", "def test_a():\n    assert True\n"),
        ("tiny/pyproject.toml", "[project]\nname = \"y\"\nversion = \"1\"\n"),
        ("tiny/test_b.py", "def test_b():\n    assert True\n"),
        (".gitignore", "__pycache__/\n.pytest_cache/\n.ruff_cache/\n"),
    ]);
    let lint = gate("lint", &json!({"fail_on": "warning"}));
    let judged = run(&person, &repository, "main", vec![gate("unit", &json!({})), lint.clone()]).await;
    assert_eq!(judged["status"], "succeeded", "{judged}");
    let row = judged["gates"].as_array().expect("gates").iter().find(|one| one["gate_type"] == "gate:unit").expect("a gate");
    assert_eq!((&row["asked"]["is_known"], &row["asked"]["tests"], &row["is_clean"]), (&json!(true), &json!(2), &json!(true)), "{row}");
    for (inputs, field) in [
        (json!({"command": "echo '1 passed in 0.01s'"}), "command: "),
        (json!({"cwd": "tiny"}), "cwd: it ran in `tiny`"),
        (json!({"format": "text"}), "format: `text`"),
    ] {
        let judged = run(&person, &repository, "main", vec![gate("unit", &inputs), lint.clone()]).await;
        assert!(status(&judged, "go") == "failed" && why(&judged).contains(field), "{inputs}: {judged}");
    }
    let judged = run(&person, &repository, "main", vec![gate("unit", &json!({})), gate("lint", &json!({}))]).await;
    assert!(why(&judged).contains("fail_on: error, findings from warning on must fail it"), "{judged}");
    // A variable decides which program runs.
    let mut other = gate("unit", &json!({}));
    other["env"]["PYTEST_ADDOPTS"] = json!("-k test_b");
    let judged = run(&person, &repository, "main", vec![other, lint.clone()]).await;
    assert!(why(&judged).contains("env: `PYTEST_ADDOPTS` is not allowed"), "{judged}");
    // A project that is found first hides the other one.
    let plant = json!({"name": "plant", "tool": "workspace:write", "inputs": {"files": {"go.mod": "module x\n"}}});
    let judged = run(&person, &repository, "main", vec![plant, gate("unit", &json!({})), lint]).await;
    assert!(why(&judged).contains("unjudged: `go.mod`"), "{judged}");
}

#[tokio::test]
async fn coverage_counts_what_the_gate_measured_and_a_change_says_nothing_of_itself() {
    let person = requiring(json!([{"gate": "gate:coverage", "command": "*", "env": ["PATH"]}])).await;
    // What a gate writes that git sees makes another tree, for which its verdict does not count.
    let repository = Repository::new(&[("a.py", "x = 1\n"), (".gitignore", "lcov.info\n")]);
    let report = "SF:a.py\\nDA:1,1\\nDA:2,1\\nend_of_record\\n";
    let measure = format!("printf '{report}' > lcov.info");
    let change = |more: Value| {
        let mut files = json!({"a.py": "x = 1\ny = 2\n"});
        files.as_object_mut().expect("files").extend(more.as_object().expect("files").clone());
        json!({"name": "change", "tool": "workspace:write", "inputs": {"files": files}})
    };
    let planted = json!({"lcov.info": "SF:a.py\nDA:1,1\nDA:2,1\nend_of_record\n"});
    let judged = run(&person, &repository, "main", vec![change(json!({})), gate("coverage", &json!({"command": measure}))]).await;
    assert_eq!(judged["status"], "succeeded", "{judged}");
    // A report that somebody left does not count, and is not there for a command that writes none.
    let judged = run(&person, &repository, "main", vec![change(planted.clone()), gate("coverage", &json!({}))]).await;
    assert!(status(&judged, "coverage") == "succeeded" && why(&judged).contains("is_measured: "), "{judged}");
    let judged = run(&person, &repository, "main", vec![change(planted), gate("coverage", &json!({"command": "true"}))]).await;
    assert_eq!(person.evidence(&judged, "coverage").await["verdict"], "inconclusive", "{judged}");
    for (inputs, field) in [
        (json!({"command": measure, "threshold": 0}), "threshold: 0 is below 90"),
        (json!({"command": measure, "exclude": ["**"]}), "exclude: `**` is not allowed"),
        (json!({"command": measure, "base": "HEAD"}), "base: compared with `HEAD`"),
    ] {
        let judged = run(&person, &repository, "main", vec![change(json!({})), gate("coverage", &inputs)]).await;
        assert!(status(&judged, "go") == "failed" && why(&judged).contains(field), "{inputs}: {judged}");
    }
    // Attributes, settings and refs that a step wrote.
    let hide = "echo '*.py linguist-generated -diff binary' > .gitattributes; cp .gitattributes .git/info/attributes
        git config diff.noprefix true; git config diff.external true; git config core.attributesFile $PWD/.gitattributes
        git config user.name x; git config user.email x@example.com; git add -A; git commit -qm x
        git update-ref refs/remotes/origin/HEAD HEAD; git update-ref refs/remotes/origin/main HEAD";
    // It is a gate's command because bash waits for the policy.
    let hide = json!({"name": "hide", "tool": "gate:sast", "inputs": {"command": hide}, "on_failure": "continue"});
    let none = json!({"command": "printf 'SF:a.py\\nDA:1,1\\nDA:2,0\\nend_of_record\\n' > lcov.info"});
    let judged = run(&person, &repository, "main", vec![change(json!({})), hide, gate("coverage", &none)]).await;
    let evidence = person.evidence(&judged, "coverage").await;
    assert_eq!(evidence["verdict"], "fail", "{evidence}");
    assert_eq!(evidence["coverage"]["files"]["a.py"], json!({"covered": [], "uncovered": [[2, 2]]}), "{evidence}");
}
