//! Plans of tests.

#![expect(clippy::needless_pass_by_value, reason = "builders take what `json!` makes")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};

pub fn step(name: &str, tool: &str, needs: &[&str], inputs: Value) -> Value {
    json!({"name": name, "tool": tool, "needs": needs, "inputs": inputs})
}

pub fn plan(steps: Vec<Value>) -> Value {
    json!({"goal": "test", "steps": steps})
}

/// A script that waits until the file exists, or its folder is deleted, so that no test leaves one behind.
pub fn until(file: &Path) -> String {
    let folder = file.parent().expect("a file of a folder");
    // Steps are other users.
    drop(std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)));
    // A check costs two processes; several such steps run at a time.
    format!("while [ -d {} ] && [ ! -e {} ]; do sleep 0.2; done", folder.display(), file.display())
}

/// A folder whose files steps can read: they are other users.
pub fn open_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("its own");
    folder
}

pub fn bash(name: &str, script: &str) -> Value {
    step(name, "bash", &[], json!({"script": script}))
}
