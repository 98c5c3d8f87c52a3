//! What someone does first who has the prototype's notes: its variables, its smoke test as it is written there, its paths.
#![expect(clippy::disallowed_methods, reason = "starts the CLI as a person would")]

use std::os::unix::fs::symlink;

use nofx_tests::fakes::models::Providers;
use nofx_tests::own::Own;
use nofx_tests::people::{status, step};
use nofx_tests::repository::Repository;
use nofx_tests::stack::{binary, root};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// The body of the smoke test, to the letter.
pub(crate) const SMOKE: &str = r#"{
  "plan": { "goal": "gated codegen",
    "steps": [
      { "name": "typecheck", "tool": "gate:typecheck" },
      { "name": "lint", "tool": "gate:lint" },
      { "name": "unit", "tool": "gate:unit" },
      { "name": "generate readme", "tool": "codegen", "inputs": { "topic": "Welcome", "bullets": ["Control plane","Verification","Workers"] } }
    ]
  }
}"#;

/// A project whose gates are detected, with the tools that the tests have.
pub(crate) fn project() -> Repository {
    let repository = Repository::new(&[
        ("package.json", r#"{"name": "app", "private": true, "type": "module", "scripts": {"test": "node --test"}}"#),
        (
            "tsconfig.json",
            r#"{"compilerOptions": {"types": [], "allowJs": true, "checkJs": true, "module": "nodenext"}, "files": ["add.js"]}"#,
        ),
        ("eslint.config.js", "export default [];\n"),
        ("add.js", "/** @param {number} a @param {number} b */\nexport const add = (a, b) => a + b;\n"),
        (
            "add.test.js",
            "import test from \"node:test\";\nimport { add } from \"./add.js\";\n\
             test(\"adds\", () => { if (add(2, 3) !== 5) throw new Error(\"wrong\"); });\n",
        ),
    ]);
    symlink(root().join("node_modules"), repository.dir.join("node_modules")).expect("a link");
    repository.git(&["add", "-A"]);
    repository.git(&["commit", "-q", "-m", "tools"]);
    repository
}

/// The status of a request, and its body.
async fn answer(request: reqwest::RequestBuilder) -> (StatusCode, Value) {
    let answer = request.send().await.expect("an answer");
    (answer.status(), answer.json().await.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_smoke_test_runs_as_it_is_written() {
    let (providers, project) = (Providers::start().await, project());
    // As the prototype names them, without a prefix.
    let openai = format!("{}/openai", providers.url);
    let settings = [
        ("OPENAI_BASE_URL", openai.as_str()),
        ("OPENAI_API_KEY", "key-of-openai"),
        ("LLM_ORDER", "openai"),
        ("ANTHROPIC_API_KEY", "key-of-nobody"),
        ("INTERNAL_API_KEY", "the-key-of-the-prototype"),
    ];
    let own = Own::start_with(&Own::folder("prototype"), &["--workers", "1"], &settings);
    let dev = own.dev();
    let (url, client) = (dev["api_url"].as_str().expect("a URL").to_owned(), nofx_shared::net::client());
    let token = |role: &str| dev["tokens"][role].as_str().expect("a token").to_owned();
    let nofx = |arguments: &[&str], role: &str| {
        let mut command = std::process::Command::new(binary());
        command.args(arguments).env("NOFX_API_URL", &url).env("NOFX_TOKEN", token(role)).output().expect("nofx starts")
    };

    // Once: the repository of plans that name none.
    let dir = project.dir.to_str().expect("text");
    assert_eq!(nofx(&["workspace", "set", dir], "contributor").status.code(), Some(2), "for admins");
    assert_eq!(nofx(&["workspace", "set", dir, "--ref", "main"], "admin").status.code(), Some(0));
    let shown = nofx(&["workspace", "show"], "viewer");
    assert_eq!(String::from_utf8_lossy(&shown.stdout), format!("{dir} main\n"));
    let stored = own.call(Method::GET, "/workspace", None).await.expect("the default");
    assert_eq!(stored, json!({"workspace": {"git": dir, "ref": "main"}}));
    let credentials = r#"{"workspace": {"git": "https://bot:token@host/x.git", "ref": null}}"#;
    for body in ["{}", r#"{"workspace": {}}"#, r#"{"workspace": {"git": 1}}"#, r#"{"workspace": {"git": "-x", "ref": null}}"#, credentials]
    {
        let request = client.post(format!("{url}/api/workspace")).bearer_auth(token("admin")).header("content-type", "application/json");
        assert_eq!(answer(request.body(body)).await.0, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    }
    assert_eq!(own.call(Method::GET, "/api/workspace", None).await.expect("the default"), stored, "an invalid body changes nothing");

    providers.answers("# Welcome\n\n- Control plane\n- Verification\n- Workers");
    let post = client.post(format!("{url}/runs")).header("content-type", "application/json").bearer_auth(token("contributor"));
    let (code, created) = answer(post.body(SMOKE)).await;
    assert_eq!(code, StatusCode::CREATED, "{created}");
    let id = created["id"].as_str().expect("an id");
    let is_finished = |run: &Value| matches!(run["status"].as_str(), Some("succeeded" | "failed" | "cancelled"));
    let run = own.wait(id, is_finished).await;
    assert_eq!(run["status"], "succeeded", "{run}");
    for name in ["typecheck", "lint", "unit", "generate readme"] {
        assert_eq!(status(&run, name), "succeeded", "{name}");
    }
    assert_eq!(step(&run, "unit")["outputs"]["verdict"], "pass");
    assert!(!run.to_string().contains("key-of-openai") && providers.requests().len() == 1, "{run}");

    // Its paths, and where it wrote evidence.
    for path in [format!("/runs/{id}"), format!("/runs/{id}/timeline"), format!("/runs/{id}/gates")] {
        own.call(Method::GET, &path, None).await.unwrap_or_else(|error| panic!("{path}: {error:?}"));
    }
    let session = format!("nofx_session={}", token("viewer"));
    for path in ["/ui/runs".to_owned(), format!("/ui/runs/{id}")] {
        let page = client.get(format!("{url}{path}")).header("cookie", &session).send().await.expect("an answer");
        assert_eq!(page.status(), StatusCode::OK, "{path}");
    }
    let unit = step(&run, "unit")["id"].as_str().expect("an id").to_owned();
    let paths: Vec<&str> = run["gates"].as_array().expect("gates").iter().map(|gate| gate["gate_type"].as_str().expect("a type")).collect();
    assert_eq!(paths, ["gate:typecheck", "gate:lint", "gate:unit"]);
    let evidence = step(&run, "unit")["outputs"]["evidence_uri"].as_str().expect("a URI").to_owned();
    assert!(evidence.ends_with(&format!("runs/{id}/steps/{unit}/gate-unit.json")), "{evidence}");

    // Routes of operators take the key under its old name, beside the one that the stack made.
    for (key, expected) in [("the-key-of-the-prototype", 200), (dev["internal_api_key"].as_str().expect("a key"), 200), ("guess", 401)] {
        let request = client.get(format!("{url}/api/cron/prune")).header("x-internal-api-key", key);
        assert_eq!(answer(request).await.0, expected, "{key}");
    }

    // A plan that says null starts with an empty folder.
    let list = |workspace: Option<Value>| {
        let mut plan = json!({"goal": "list", "steps": [{"name": "ls", "tool": "bash", "inputs": {"script": "ls"}}]});
        workspace.into_iter().for_each(|workspace| plan["workspace"] = workspace);
        plan
    };
    let there = own.run(&list(None)).await;
    assert!(step(&there, "ls")["outputs"]["stdout"].as_str().is_some_and(|out| out.contains("add.js")), "{there}");
    let empty = own.run(&list(Some(Value::Null))).await;
    assert_eq!(step(&empty, "ls")["outputs"]["stdout"], "", "{empty}");
    assert_eq!(nofx(&["workspace", "clear"], "admin").status.code(), Some(0));
    assert_eq!(own.call(Method::GET, "/api/workspace", None).await.expect("none"), json!({"workspace": null}));
}
