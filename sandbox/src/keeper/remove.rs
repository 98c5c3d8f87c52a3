//! Removes a folder whose content a step's user made, as that user. The folder itself is in one of the supervisor's.
#![expect(clippy::disallowed_methods, reason = "rm removes trees of any depth; we would run out of descriptors")]

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// The error says what stays.
pub(super) fn remove(folder: &Path, uid: Option<u32>) -> Result<(), String> {
    let run = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).arg("--").arg(folder).env_clear().current_dir("/");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some(uid) = uid {
            command.uid(uid).gid(uid);
        }
        // What is left is seen below.
        drop(command.status());
    };
    // The folder itself stays where its parent is the supervisor's.
    run("/bin/rm", &["-rf", "--one-file-system"]);
    if !is_gone(folder) {
        // A folder that its own user closed.
        run("/bin/chmod", &["-R", "u+rwX"]);
        run("/bin/rm", &["-rf", "--one-file-system"]);
    }
    if is_gone(folder) { Ok(()) } else { Err(format!("could not remove {}", folder.display())) }
}

fn is_gone(folder: &Path) -> bool {
    std::fs::remove_dir(folder).is_ok() || folder.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}
