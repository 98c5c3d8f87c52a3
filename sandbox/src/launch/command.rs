//! How the helper is started.
#![expect(clippy::disallowed_methods, reason = "starts the helper: below the drivers")]

use std::os::unix::process::CommandExt;
use std::process::Command;

use nofx_shared::drivers::Level;

use super::bubble::bubble_args;
use super::{Handover, Spec};

/// The helper for a program, which becomes the program; from L3 on bubblewrap, in which it runs. `user` is the uid and gid that it is
/// started as, by a parent that may do that; without one it runs as the parent does. `handover` is that of the same `Spec`.
pub fn helper(spec: &Spec, user: Option<(u32, u32)>, handover: &Handover) -> Command {
    let mut command = if spec.level >= Level::L3 {
        let (uid, gid) = user.unwrap_or_else(|| (nix::unistd::getuid().as_raw(), nix::unistd::getgid().as_raw()));
        let mut command = Command::new("bwrap");
        command.args(bubble_args(spec, uid, gid, handover));
        command
    } else {
        let mut command = Command::new(format!("/proc/self/fd/{}", handover.exe()));
        command.arg("launch").args(handover.descriptors().map(|number| number.to_string()));
        command
    };
    if let Some((uid, gid)) = user {
        // Also leaves the parent's groups, as it is root.
        command.uid(uid).gid(gid);
    }
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").current_dir("/");
    command
}
