//! The whole scenario suite, against another host of the same API.

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use crate::stack::root;

/// Runs the scenarios against `api_url` instead of the API of the stack that `dev` describes. Fails with what they print.
pub async fn scenarios(dev: &Value, api_url: &str, folder: &Path) {
    let mut dev = dev.clone();
    dev["api_url"] = api_url.into();
    let path = folder.join("dev.json");
    std::fs::write(&path, dev.to_string()).expect("written");
    // Built already: cargo only finds the program.
    let output = Command::new(env!("CARGO"))
        .args(["test", "--quiet", "--package", "nofx-tests", "--test", "scenarios"])
        .current_dir(root())
        .env("NOFX_TEST_STACK", &path)
        .stdin(Stdio::null())
        .output()
        .await
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "the scenarios fail on this host:\n{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("test result: ok"), "no scenario ran:\n{said}");
}
