//! The helper has no privileges: it is the user of the program, by itself or since its parent started it as that.

use rustix::thread::CapabilitySet;

use super::error::Error;

/// Becomes a user who has no other groups. What root had is gone with that.
pub(super) fn become_user(uid: u32, gid: u32) -> Result<(), Error> {
    let error = |errno: nix::Error| Error::System("become the program's user", errno.into());
    nix::unistd::setgroups(&[]).map_err(error)?;
    nix::unistd::setgid(gid.into()).map_err(error)?;
    nix::unistd::setuid(uid.into()).map_err(error)
}

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
