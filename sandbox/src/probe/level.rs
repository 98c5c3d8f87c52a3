//! Starts a program that does nothing at a level.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use nofx_shared::drivers::{Enforced, Level, Limits};

use crate::launch::{Handover, Namespaces, Report, Spec, Tcp, helper};

/// What held, or why it did not start.
pub(super) fn try_level(exe: &Path, level: Level, user: Option<(u32, u32)>) -> Result<Enforced, String> {
    let scratch = Scratch::new(user).map_err(|error| format!("cannot make a folder for a run's user: {error}"))?;
    let spec = Spec {
        argv: vec!["true".to_owned()],
        dir: "/".into(),
        env: BTreeMap::new(),
        level,
        limits: Limits { cpu_s: Some(10), memory_mb: Some(512), file_mb: Some(1), processes: None, open_files: Some(64) },
        tcp: Tcp::None,
        read_write: vec![scratch.0.clone()],
        read_only: vec![],
        scratch: scratch.0.clone(),
        exe: exe.to_owned(),
        outside: Namespaces::of_this_process().map_err(|error| format!("cannot read the namespaces: {error}"))?,
    };
    let mut handover = Handover::new(&spec).map_err(|error| format!("cannot make a file in memory: {error}"))?;
    let mut command = helper(&spec, user, handover.descriptors());
    let name = command.get_program().display().to_string();
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("cannot start `{name}`: {error}"))?;
    match handover.report() {
        Ok(Some(Report::Enforced(enforced))) if output.status.success() => Ok(enforced),
        Ok(Some(Report::Refused(why))) => Err(why),
        _ => Err(last_words(&name, &output)),
    }
}

fn last_words(name: &str, output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let line = stderr.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it printed nothing");
    format!("`{name}` ended with {}: {line}", output.status)
}

/// A folder of the user's; deleted with this value.
struct Scratch(PathBuf);

impl Scratch {
    fn new(user: Option<(u32, u32)>) -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("nofx-probe-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        let scratch = Self(path);
        if let Some((uid, gid)) = user {
            chown(&scratch.0, Some(uid), Some(gid))?;
        }
        Ok(scratch)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Empty: the program that ran writes nothing.
        let _ = fs::remove_dir(&self.0);
    }
}
