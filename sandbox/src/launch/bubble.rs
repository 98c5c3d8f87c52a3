//! L3: the arguments of bubblewrap. It makes the namespaces and starts this program again inside them, which does the rest as at L2.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{Handover, Spec, files};

/// Where this program is inside: no folder that a program has.
const EXE: &str = "/run/nofx";
/// 64 MiB, as containers have.
const SHARED_MEMORY_BYTES: &str = "67108864";

/// The arguments of `bwrap` (0.10, or an older one with `--ro-bind-fd`, as Debian's) that start `exe launch SPEC REPORT` inside namespaces of
/// its own. `uid` and `gid` are those of the process that starts `bwrap`; its *thread* must live as long as the program does
/// (`--die-with-parent`). The descriptors pass through.
pub(super) fn bubble_args(spec: &Spec, uid: u32, gid: u32, handover: &Handover) -> Vec<OsString> {
    let mut args: Vec<OsString> = [
        "--unshare-user",
        "--unshare-pid",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-cgroup",
        "--disable-userns",
        "--die-with-parent",
        "--clearenv",
        "--cap-drop",
        "ALL",
        "--hostname",
        "step",
    ]
    .map(OsString::from)
    .into();
    if spec.tcp.is_inside() {
        args.push("--unshare-net".into());
    }
    for (name, id) in [("--uid", uid), ("--gid", gid)] {
        args.extend([name.into(), id.to_string().into()]);
    }
    for path in files::SYSTEM {
        system(&mut args, Path::new(path));
    }
    args.extend(["--proc", "/proc", "--dev", "/dev"].map(OsString::from));
    args.extend(["--size", SHARED_MEMORY_BYTES, "--tmpfs", files::SHARED_MEMORY].map(OsString::from));
    bind(&mut args, "--bind", &spec.scratch, Path::new("/tmp"));
    if let Ok(resolver) = std::fs::canonicalize(files::RESOLVER)
        && files::SYSTEM.iter().all(|folder| !resolver.starts_with(folder))
    {
        bind(&mut args, "--ro-bind", &resolver, &resolver);
    }
    args.extend(["--ro-bind-fd".into(), handover.exe().to_string().into(), EXE.into()]);
    for path in &spec.read_only {
        bind(&mut args, "--ro-bind", path, path);
    }
    spec.hidden.iter().for_each(|path| hide(&mut args, spec, path));
    for path in &spec.read_write {
        // Scratch folders of other processes of the run may be gone by now.
        bind(&mut args, if *path == spec.scratch { "--bind" } else { "--bind-try" }, path, path);
    }
    args.extend(["--chdir".into(), spec.dir.clone().into(), "--".into(), EXE.into(), "launch".into()]);
    args.extend(handover.descriptors().map(|number| number.to_string().into()));
    args
}

/// A folder of the system as it is: many are links into `/usr`.
fn system(args: &mut Vec<OsString>, path: &Path) {
    match std::fs::read_link(path) {
        Ok(target) => args.extend(["--symlink".into(), target.into(), path.into()]),
        Err(_) if path.exists() => bind(args, "--ro-bind", path, path),
        Err(_) => {}
    }
}

/// Empty in place of what it was, where it would be seen. Landlock does not suffice here: what is below `/tmp` on the host would be below the
/// scratch folder inside.
fn hide(args: &mut Vec<OsString>, spec: &Spec, path: &Path) {
    let is_seen =
        files::SYSTEM.iter().map(Path::new).chain(spec.read_only.iter().map(PathBuf::as_path)).any(|above| path.starts_with(above));
    match std::fs::metadata(path) {
        Ok(kind) if is_seen && kind.is_dir() => {
            for how in ["--tmpfs", "--remount-ro"] {
                args.extend([how.into(), path.into()]);
            }
        }
        Ok(_) if is_seen => bind(args, "--ro-bind", Path::new("/dev/null"), path),
        // It is not bound, or not there.
        _ => {}
    }
}

fn bind(args: &mut Vec<OsString>, how: &str, from: &Path, to: &Path) {
    args.extend([how.into(), from.into(), to.into()]);
}
