//! The helper has no privileges: its parent started it as the user of the program.

use rustix::thread::CapabilitySet;

use super::error::Error;

/// Refuses to go on as root or with capabilities: neither Landlock nor limits hold for them.
pub(crate) fn refuse_privileges() -> Result<(), Error> {
    if nix::unistd::getuid().is_root() || nix::unistd::geteuid().is_root() {
        return Err(Error::Root);
    }
    let sets = rustix::thread::capabilities(None).map_err(|errno| Error::System("read the capabilities", errno.into()))?;
    if sets.effective | sets.permitted | sets.inheritable != CapabilitySet::empty() {
        return Err(Error::Capabilities);
    }
    Ok(())
}
