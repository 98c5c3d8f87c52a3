#![expect(clippy::disallowed_methods, reason = "compiles and runs the clients; a flag accepts their types as they are")]

use std::path::{Path, PathBuf};
use std::process::Command;

use nofx_shared::hooks;
use nofx_tests::Tenant;
use nofx_tests::stack::{STACK, root, target};
use serde_json::{Value, json};

/// When the webhook of the clients' programs was sent: they say what time it is.
const SENT_AT: i64 = 1_700_000_000;

/// Runs a program to its end; it must succeed.
fn run(command: &mut Command) {
    let (succeeds, output) = attempt(command);
    assert!(succeeds, "{command:?}: {output}");
}

fn attempt(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; scripts/bootstrap-dev.sh --tests installs it"));
    (output.status.success(), format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}

fn npm(name: &str) -> Command {
    Command::new(root().join("node_modules/.bin").join(name))
}

/// Types that were made are those that are checked in, or become them when `NOFX_UPDATE` is set.
fn same(stored: &str, made: &Path) {
    let made = std::fs::read_to_string(made).expect("types");
    let path = root().join(stored);
    if std::env::var_os("NOFX_UPDATE").is_some() {
        std::fs::write(&path, &made).expect("written");
    }
    assert!(std::fs::read_to_string(&path).is_ok_and(|text| text == made), "{stored} is not what the API says; NOFX_UPDATE=1 writes it");
}

/// The description that is served, as `core::interface` proves.
fn description() -> PathBuf {
    root().join("docs/interface/openapi.json")
}

fn make_typescript(description: &Path, schema: &Path) {
    run(npm("openapi-typescript").arg(description).arg("--output").arg(schema).current_dir(root()));
}

/// What the clients' own programs get: the API, people of a tenant, and a webhook as a hook sends it.
async fn surround(command: &mut Command) -> &mut Command {
    let tenant = Tenant::new().await;
    let secret = hooks::make_secret();
    let body = json!({"specversion": "1.0", "id": "1-1", "type": "run.failed", "data": {"reason": "für 日本"}}).to_string();
    let headers = json!({
        "webhook-id": "a", "webhook-timestamp": SENT_AT.to_string(),
        "webhook-signature": hooks::sign(std::slice::from_ref(&secret), "a", SENT_AT, &body),
    });
    command
        .env("API_URL", STACK.get("api_url"))
        .env("CONTRIBUTOR", tenant.contributor().token)
        .env("SUPERVISOR", tenant.supervisor().token)
        .env("WEBHOOK", json!({"secret": secret, "headers": headers, "body": body}).to_string())
}

#[tokio::test]
async fn the_typescript_client_works() {
    let folder = tempfile::tempdir().expect("a folder");
    make_typescript(&description(), &folder.path().join("schema.ts"));
    same("clients/typescript/src/schema.ts", &folder.path().join("schema.ts"));

    // Modules are looked for beside the program.
    std::os::unix::fs::symlink(root().join("node_modules"), folder.path().join("node_modules")).expect("a link");
    std::fs::write(folder.path().join("package.json"), r#"{"type": "module"}"#).expect("written");
    run(npm("tsc").arg("--project").arg(root().join("clients/typescript/test")).arg("--outDir").arg(folder.path()));
    for program in ["webhook", "faults", "stack"] {
        let mut node = Command::new("node");
        run(surround(node.arg(folder.path().join("test").join(program).with_extension("js"))).await);
    }
}

#[test]
fn a_type_that_the_description_loses_breaks_programs() {
    let folder = tempfile::tempdir().expect("a folder");
    let copy = folder.path().join("typescript");
    run(Command::new("cp").arg("-r").arg(root().join("clients/typescript")).arg(&copy));
    std::os::unix::fs::symlink(root().join("node_modules"), folder.path().join("node_modules")).expect("a link");
    let mut less: Value = serde_json::from_slice(&std::fs::read(description()).expect("a description")).expect("JSON");
    less["components"]["schemas"]["RunStatus"] = json!({"type": "string"});
    less["components"]["schemas"]["RunSummaryPage"]["properties"]["data"]["items"] =
        json!({"type": "object", "additionalProperties": true});
    let file = folder.path().join("openapi.json");
    std::fs::write(&file, less.to_string()).expect("written");
    make_typescript(&file, &copy.join("src/schema.ts"));
    // Whole, it compiles: see the test above.
    let (compiles, output) = attempt(npm("tsc").arg("--noEmit").arg("--project").arg(copy.join("test")));
    assert!(!compiles && output.matches("Unused '@ts-expect-error'").count() == 2, "a line for each type that is gone: {output}");
}

#[tokio::test]
async fn the_python_client_works() {
    let folder = tempfile::tempdir().expect("a folder");
    let (client, python) = (root().join("clients/python"), target().join("python/bin"));
    let schema = folder.path().join("schema.py");
    let mut generator = Command::new(python.join("datamodel-codegen"));
    run(generator.arg("--input").arg(description()).arg("--output").arg(&schema).current_dir(&client));
    same("clients/python/nofx/schema.py", &schema);

    let cache = format!("--cache-dir={}", folder.path().join("mypy").display());
    run(Command::new(python.join("mypy")).args([&cache, "nofx", "examples", "test"]).current_dir(&client));
    let mut pytest = Command::new(python.join("pytest"));
    pytest.args(["-q", "-p", "no:cacheprovider", "test"]).env("PYTHONPATH", &client).env("PYTHONDONTWRITEBYTECODE", "1");
    run(surround(pytest.current_dir(&client)).await);
}
