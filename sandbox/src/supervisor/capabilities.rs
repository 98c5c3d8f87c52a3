//! Rights that the supervisor gives up.

use rustix::thread::{CapabilitySet, CapabilitySets};

/// What it needs: to become users of steps, to give them folders, and to kill their processes.
const NEEDED: CapabilitySet = CapabilitySet::SETUID.union(CapabilitySet::SETGID).union(CapabilitySet::CHOWN).union(CapabilitySet::KILL);

/// Gives up all other rights, for this process and all that it starts.
pub(super) fn reduce() -> std::io::Result<()> {
    for bit in (0..64).map(|bit| CapabilitySet::from_bits_retain(1 << bit)) {
        if !NEEDED.contains(bit) && rustix::thread::capability_is_in_bounding_set(bit).unwrap_or(false) {
            rustix::thread::remove_capability_from_bounding_set(bit)?;
        }
    }
    let had = rustix::thread::capabilities(None)?;
    let kept = had.permitted & NEEDED;
    rustix::thread::set_capabilities(None, CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() })?;
    Ok(())
}

/// Whether this process may be a supervisor of other users.
pub(super) fn are_enough() -> bool {
    rustix::thread::capabilities(None).is_ok_and(|has| has.effective.contains(NEEDED)) && nix::unistd::geteuid().is_root()
}
