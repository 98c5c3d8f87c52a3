//! A thread with the rights of another user for files, which the kernel keeps apart from the rights to send signals: no process of that user
//! can reach this one meanwhile.

use nix::unistd::{Gid, Uid, setfsgid, setfsuid};

/// This thread has the rights of another user for files, until this is dropped.
pub(crate) struct AsUser;

impl AsUser {
    pub(crate) fn new(uid: u32) -> Result<Self, String> {
        // Both answer with what was before, so only a second call tells whether it worked.
        setfsgid(Gid::from_raw(uid));
        setfsuid(Uid::from_raw(uid));
        let guard = Self;
        let none = u32::MAX;
        if setfsuid(Uid::from_raw(none)).as_raw() == uid && setfsgid(Gid::from_raw(none)).as_raw() == uid {
            Ok(guard)
        } else {
            Err(format!("could not take the rights of user {uid}: the supervisor needs SETUID and SETGID"))
        }
    }
}

impl Drop for AsUser {
    fn drop(&mut self) {
        setfsuid(nix::unistd::geteuid());
        setfsgid(nix::unistd::getegid());
    }
}
