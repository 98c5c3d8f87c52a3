use std::path::Path;

use nofx_shared::drivers::{Enforced, Level};
use serde::Serialize;

use super::level::try_level;
use super::parts::{self, Part};

/// What a host offers.
#[derive(Clone, Debug, Serialize)]
pub struct Host {
    /// Release of the kernel.
    pub kernel: String,
    pub levels: Vec<Offer>,
    /// What the levels are made of, for whoever wants to know why one is not offered.
    pub parts: Vec<Part>,
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
/// it is started as one of those of runs.
pub fn probe(exe: &Path) -> Host {
    let pool = parts::user_pool();
    let user = pool.works.then_some((parts::USER, parts::USER));
    let levels: Vec<Offer> = [Level::L1, Level::L2, Level::L3].map(|level| offer(level, try_level(exe, level, user))).into();
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
    Host { kernel, levels, parts }
}

fn offer(level: Level, result: Result<Enforced, String>) -> Offer {
    match result {
        Ok(enforced) => Offer { level, enforced: Some(enforced), why_not: None },
        Err(why) => Offer { level, enforced: None, why_not: Some(why) },
    }
}
