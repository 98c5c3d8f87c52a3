//! Starts a program that does nothing at a level.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::{Output, Stdio};

use nofx_shared::drivers::{Enforced, Level, Limits};
use tempfile::TempDir;

use crate::launch::{Handover, Namespaces, Report, Spec, Tcp, helper};

/// What held, or why it did not start.
pub(super) fn try_level(exe: &Path, level: Level, user: Option<(u32, u32)>) -> Result<Enforced, String> {
    let folder = scratch(user).map_err(|error| format!("cannot make a folder for a run's user: {error}"))?;
    let spec = Spec {
        argv: vec!["true".to_owned()],
        dir: "/".into(),
        env: BTreeMap::new(),
        level,
        limits: Limits { cpu_s: Some(10), memory_mb: Some(512), file_mb: Some(1), open_files: Some(64), ..Limits::default() },
        tcp: Tcp::None,
        read_write: vec![folder.path().to_owned()],
        read_only: vec![],
        hidden: vec![],
        toolchains: None,
        scratch: folder.path().to_owned(),
        exe: exe.to_owned(),
        outside: Namespaces::of_this_process().map_err(|error| format!("cannot read the namespaces: {error}"))?,
    };
    let mut handover = Handover::new(&spec).map_err(|error| format!("cannot open `{}`: {error}", exe.display()))?;
    let mut command = helper(&spec, user, &handover);
    let name = if level >= Level::L3 { "bwrap".to_owned() } else { exe.display().to_string() };
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("cannot start `{name}`: {error}"))?;
    match handover.report() {
        Ok(Some(Report::Enforced(enforced))) if output.status.success() => Ok(*enforced),
        Ok(Some(Report::Refused(why))) => Err(why),
        _ => Err(last_words(&name, &output)),
    }
}

fn last_words(name: &str, output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let line = stderr.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("nothing was printed");
    format!("`{name}` ended with {}: {line}", output.status)
}

/// A folder of the user's; deleted with the value.
fn scratch(user: Option<(u32, u32)>) -> io::Result<TempDir> {
    let folder = tempfile::tempdir()?;
    if let Some((uid, gid)) = user {
        chown(folder.path(), Some(uid), Some(gid))?;
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use nofx_shared::drivers::Level;

    use super::try_level;

    #[test]
    fn a_refusal_is_handed_on() {
        let test = std::env::current_exe().expect("a path");
        let example = test.ancestors().nth(2).expect("target/debug").join("examples/launch");
        // Without a user the program would run as who runs the tests: root.
        let why = try_level(&example, Level::L1, None).expect_err("root is not confined");
        assert!(why.contains("root"), "{why}");
    }
}
