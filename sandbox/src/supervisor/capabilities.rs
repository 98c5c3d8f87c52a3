//! Rights that the supervisor gives up.

use rustix::thread::{CapabilitySet, CapabilitySets};

/// What it needs: to become users of steps, to give them folders, and to kill their processes.
const NEEDED: CapabilitySet = CapabilitySet::SETUID.union(CapabilitySet::SETGID).union(CapabilitySet::CHOWN).union(CapabilitySet::KILL);

/// Gives up all other rights, for this process and all that it starts.
pub(super) fn reduce() -> std::io::Result<()> {
    bound(NEEDED)?;
    let had = rustix::thread::capabilities(None)?;
    let kept = had.permitted & NEEDED;
    rustix::thread::set_capabilities(None, CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() })?;
    Ok(())
}

/// Becomes a user without any right, for ever: no program that it starts gains one. None: the user stays.
pub(super) fn drop_all(user: Option<u32>) -> std::io::Result<()> {
    let had = rustix::thread::capabilities(None)?;
    // Without this right, which containers often lack, what could be gained stays named; nothing is gained all the same.
    if had.effective.contains(CapabilitySet::SETPCAP) {
        bound(CapabilitySet::empty())?;
    }
    if let Some(user) = user {
        let (uid, gid) = (nix::unistd::Uid::from_raw(user), nix::unistd::Gid::from_raw(user));
        nix::unistd::setgroups(&[])?;
        nix::unistd::setresgid(gid, gid, gid)?;
        nix::unistd::setresuid(uid, uid, uid)?;
    }
    let none = CapabilitySet::empty();
    rustix::thread::set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
    nix::sys::prctl::set_no_new_privs()?;
    Ok(())
}

/// Leaves only these rights to be gained.
fn bound(kept: CapabilitySet) -> std::io::Result<()> {
    for bit in (0..64).map(|bit| CapabilitySet::from_bits_retain(1 << bit)) {
        if !kept.contains(bit) && rustix::thread::capability_is_in_bounding_set(bit).unwrap_or(false) {
            rustix::thread::remove_capability_from_bounding_set(bit)?;
        }
    }
    Ok(())
}

/// Whether this process may be a supervisor of other users.
pub(super) fn are_enough() -> bool {
    rustix::thread::capabilities(None).is_ok_and(|has| has.effective.contains(NEEDED)) && nix::unistd::geteuid().is_root()
}
