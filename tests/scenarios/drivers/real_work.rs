//! Honest work that is confined: projects with a dependency from their registry, built and tested.

use nofx_tests::Tenant;
use nofx_tests::people::{Person, step};
use nofx_tests::registries::{self, Proxy};
use serde_json::{Value, json};

/// A crate with a dependency, without a lock.
const CRATE: &str = r#"mkdir -p src
cat > Cargo.toml <<END
[package]
name = "own"
version = "0.1.0"
edition = "2021"
[dependencies]
itoa = "1"
[workspace]
END
cat > src/lib.rs <<END
pub fn text(n: u32) -> String { itoa::Buffer::new().format(n).to_owned() }
#[test] fn adds() { assert_eq!(text(2 + 2), "4"); }
END
cargo test 2>&1"#;

/// A virtual environment with a test runner, and a test that needs temporary folders and processes.
const PYTHON: &str = r#"cat > test_own.py <<END
import subprocess, sys
def test_own(tmp_path):
    (tmp_path / "a").write_text("1")
    assert subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True, text=True).stdout == "1\n"
END
# Its own pip would be unpacked for seconds.
python3 -m venv --without-pip .venv
python3 -m pip --disable-pip-version-check --python .venv/bin/python install --quiet --no-compile pytest
.venv/bin/pytest -q"#;

const NPM: &str = r#"cat > package.json <<END
{"name": "own", "version": "1.0.0", "scripts": {"test": "node --test"}, "dependencies": {"is-number": "7.0.0"}}
END
cat > own.test.js <<END
const isNumber = require("is-number");
require("node:test")("numbers", () => { if (!isNumber(5)) throw new Error("it is one"); });
END
npm install --no-audit --no-fund && npm test"#;

/// A step that works in a folder of its own.
fn work(name: &str, level: &str, proxy: &Proxy, script: &str) -> Value {
    let script = format!("{}mkdir {name}; cd {name}\n{script}", registries::home());
    json!({"name": name, "tool": "bash", "min_isolation": level, "env": registries::environment(proxy), "on_failure": "continue",
        "retry": {"max_attempts": 1}, "inputs": {"script": script}})
}

async fn projects_at(person: &Person, level: &str) {
    let proxy = Proxy::start().await;
    let steps = [("rust", CRATE), ("python", PYTHON), ("npm", NPM)].map(|(name, script)| work(name, level, &proxy, script));
    let run = person.run(json!({"goal": "honest work", "steps": steps})).await;
    for (name, proof) in [("rust", "test adds ... ok"), ("python", "1 passed"), ("npm", "# pass 1")] {
        let done = step(&run, name);
        assert_eq!(done["status"], "succeeded", "{name}: {done}");
        assert_eq!(done["attempts"][0]["isolation"]["level"], level, "{name}: {done}");
        assert!(done["outputs"]["stdout"].as_str().is_some_and(|text| text.contains(proof)), "{name}: {done}");
    }
    assert!(!proxy.hosts().is_empty(), "their packages came from their registries");
}

#[tokio::test(flavor = "multi_thread")]
async fn projects_of_rust_python_and_npm_are_built_and_tested_at_l2() {
    projects_at(&Tenant::new().await.contributor(), "L2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn projects_of_rust_python_and_npm_are_built_and_tested_at_l3() {
    projects_at(&Tenant::new().await.contributor(), "L3").await;
}
