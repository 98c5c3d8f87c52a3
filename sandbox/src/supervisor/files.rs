//! Opens files as the user of a step: with that user's rights for files, which the kernel keeps apart from the rights to send signals, so
//! that no step can reach the supervisor meanwhile.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use nix::unistd::{Gid, Uid, setfsgid, setfsuid};

use super::folders::Folders;
use crate::files;
use crate::wire::{Answer, FileOp};

/// This thread has the rights of another user for files, until this is dropped.
struct AsUser;

impl AsUser {
    fn new(uid: u32) -> Result<Self, String> {
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

pub(super) fn file(folders: &mut Folders, path: &Path, op: &FileOp) -> Result<(Answer, Option<OwnedFd>), String> {
    let (folder, rest, uid) = folders.locate(path)?;
    let _rights = uid.map(AsUser::new).transpose()?;
    let folder = folder.as_fd();
    let opened = match op {
        FileOp::Read => files::read(folder, rest)?,
        FileOp::List => files::list(folder, rest)?,
        FileOp::Create => Some(files::create(folder, rest)?),
        FileOp::Kind => return files::kind(folder, rest).map(|kind| (Answer::Kind(kind), None)),
        FileOp::Remove => return files::remove(folder, rest).map(|()| (Answer::Done, None)),
    };
    Ok((Answer::File { is_there: opened.is_some() }, opened))
}
