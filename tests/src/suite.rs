//! The scenarios that depend on the host, against another host of the same API.
#![expect(clippy::disallowed_methods, reason = "a flag runs all of them")]

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use crate::stack::{HOST, SCENARIOS, root};

/// Scenarios below a `mod every_host` test how bytes come in and go out, which differs between hosts. Everything else is the
/// same code and the same database everywhere; with `NOFX_TEST_LONG` all scenarios run on every host.
const EVERY_HOST: &str = "every_host::";

/// Runs the scenarios against `api_url` instead of the API of the stack that `dev` describes. Fails with their output.
pub async fn scenarios(dev: &Value, api_url: &str, folder: &Path) {
    let mut dev = dev.clone();
    dev["api_url"] = api_url.into();
    let path = folder.join("dev.json");
    std::fs::write(&path, dev.to_string()).expect("written");
    let usual = if is_long() { "" } else { EVERY_HOST };
    let filter = std::env::var(SCENARIOS).unwrap_or_else(|_| usual.to_owned());
    // Built already, as part of the whole workspace (of one package alone it would be another build): cargo only finds it.
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["test", "--quiet", "--workspace", "--test", "scenarios", "--", "--test-threads", "4", &filter])
        .current_dir(root())
        .env("NOFX_TEST_STACK", &path)
        .env(HOST, std::thread::current().name().expect("the test's name"))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    unset_package(&mut cargo);
    let output = cargo.output().await.expect("cargo runs");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "the scenarios fail on this host:\n{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(printed.contains("test result: ok") && !printed.contains("ok. 0 passed"), "no scenario ran:\n{printed}");
}

/// Whether tests run in their long form.
pub fn is_long() -> bool {
    std::env::var_os("NOFX_TEST_LONG").is_some()
}

/// Whether only named scenarios run.
pub fn is_part() -> bool {
    std::env::var_os(SCENARIOS).is_some()
}

/// A cargo that a test starts must not see the variables of the test's own package: the build scripts of some crates (`ring`) read its
/// name, and when that changes, everything that depends on them is compiled again, and again by the next build.
pub fn unset_package(cargo: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|start| name.starts_with(start))) {
            cargo.env_remove(name);
        }
    }
}
