use std::path::{Path, PathBuf};

use nofx_shared::drivers::{Enforced, Level, Toolchain};
use nofx_shared::settings::ToolFolder;
use serde::Serialize;

use super::level::try_level;
use super::parts::{self, Part};
use crate::tools::Tools;
use crate::view;

/// What a host offers.
#[derive(Clone, Debug, Serialize)]
pub struct Host {
    /// Release of the kernel.
    pub kernel: String,
    pub levels: Vec<Offer>,
    /// What the levels are made of, for whoever wants to know why one is not offered.
    pub parts: Vec<Part>,
    /// The toolchains that steps may name.
    pub toolchains: Vec<Found>,
}

/// A toolchain that is there.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    pub name: Toolchain,
    pub folders: Vec<PathBuf>,
}

/// One level of the host's.
#[derive(Clone, Debug, Serialize)]
pub struct Offer {
    pub level: Level,
    /// What held for a program that was started at the level; null: the host does not offer it.
    pub enforced: Option<Enforced>,
    /// Why the host does not offer it.
    pub why_not: Option<String>,
}

/// Tries each level with a program that does nothing. `exe` is a program with the verb `launch`. With the right to become other users (root)
/// it is started as one of those of runs; where `exe` is in a folder that they cannot enter, this thread gets a view of the files in which they
/// can, as a supervisor has it. `toolchains`: the folders that the settings of a worker name.
pub fn probe(exe: &Path, toolchains: &[ToolFolder]) -> Host {
    // Before the view, in which closed folders are empty.
    let tools = Tools::of(toolchains);
    let pool = parts::user_pool();
    let user = pool.works.then_some((parts::USER, parts::USER));
    // A worker's supervisor shows its program to steps so. Where this may not be done, the levels say what follows.
    if pool.works
        && let Err(error) = view::open_up(&[(exe.to_owned(), false)])
    {
        eprintln!("nofx: users of steps may not be able to reach {}: {error}", exe.display());
    }
    let levels: Vec<Offer> = [Level::L1, Level::L2, Level::L3].map(|level| offer(exe, level, user)).into();
    let enforced = levels.iter().filter_map(|offer| offer.enforced.as_ref());
    let kernel = nix::sys::utsname::uname().map(|name| name.release().display().to_string()).unwrap_or_default();
    let parts = vec![
        pool,
        parts::seccomp(enforced.clone().find_map(|one| one.seccomp.as_deref())),
        parts::landlock(enforced.clone().find_map(|one| one.landlock_abi)),
        parts::bubblewrap(),
        parts::user_namespaces(user),
        parts::cgroup(),
    ];
    let found = |name: Toolchain| Found { folders: tools.folders(&name).into_iter().map(Path::to_owned).collect(), name };
    Host { kernel, levels, parts, toolchains: tools.names().into_iter().map(found).collect() }
}

fn offer(exe: &Path, level: Level, user: Option<(u32, u32)>) -> Offer {
    let result = match user {
        // A user namespace is a border, too; below L3 there is none but the user.
        None if level < Level::L3 => Err("programs would run as the user who starts them: this level needs the user pool".to_owned()),
        _ => try_level(exe, level, user),
    };
    match result {
        Ok(enforced) => Offer { level, enforced: Some(enforced), why_not: None },
        Err(why) => Offer { level, enforced: None, why_not: Some(why) },
    }
}

#[cfg(test)]
mod tests {
    use nofx_shared::drivers::Level;

    use super::offer;

    #[test]
    fn a_program_without_a_user_of_its_own_has_no_level_below_l3() {
        let why = |level| offer("/no/such/program".as_ref(), level, None).why_not.expect("it is not offered");
        assert!(why(Level::L1).contains("user pool") && why(Level::L2).contains("user pool"));
        assert!(why(Level::L3).contains("/no/such/program"));
    }
}
