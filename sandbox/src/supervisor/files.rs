//! Opens files as the user of a step.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use super::folders::Folders;
use crate::as_user::AsUser;
use crate::files;
use crate::wire::{Answer, FileOp};

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
