use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};

use super::{list, pack, unpack};
use crate::as_user::AsUser;
use crate::wire::{FromKeeper, Socket};

/// What is done with a workspace.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum TreeOp {
    /// Writes a header with all `Listed`, sorted by path. Folders with these names are not entered.
    List { left_out: Vec<String> },
    /// Reads a header with paths, writes one with their `Part`s, and then the contents of the files.
    Pack,
    /// The same for all that is in these folders, and for the folders.
    PackFolders,
    /// Reads what `Pack` writes, and makes it so.
    Unpack,
}

/// A workspace, whose it is, and what is done.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TreeJob {
    pub folder: PathBuf,
    /// None: this user's.
    pub uid: Option<u32>,
    pub op: TreeOp,
}

/// Does the job that the supervisor names on standard input, with a descriptor to read from and one to write to, and reports.
pub(crate) fn do_job() -> Result<(), String> {
    let supervisor = Socket::from_stdin().map_err(|error| error.to_string())?;
    let Some((TreeJob { folder, uid, op }, descriptors)) = supervisor.receive().map_err(|error| error.to_string())? else { return Ok(()) };
    let mut descriptors = descriptors.into_iter();
    let done = match (descriptors.next(), descriptors.next()) {
        (Some(input), Some(output)) => with_rights(&folder, uid, &op, input, output),
        _ => Err("a workspace is read from one descriptor and written to another".to_owned()),
    };
    let report = done.clone().map_or_else(FromKeeper::Failed, |()| FromKeeper::Done);
    drop(supervisor.send(&report, &[]));
    done
}

fn with_rights(folder: &Path, uid: Option<u32>, op: &TreeOp, input: OwnedFd, output: OwnedFd) -> Result<(), String> {
    let _rights = uid.map(AsUser::new).transpose()?;
    run(folder, op, File::from(input), File::from(output))
}

/// With the rights of this thread.
pub(crate) fn run(folder: &Path, op: &TreeOp, input: File, output: File) -> Result<(), String> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let top = rustix::fs::open(folder, flags, Mode::empty()).map_err(|error| format!("the workspace could not be opened: {error}"))?;
    match op {
        TreeOp::List { left_out } => list::list(top, left_out, output),
        TreeOp::Pack => pack::pack(&top, input, output),
        TreeOp::PackFolders => pack::pack_folders(&top, input, output),
        TreeOp::Unpack => unpack::unpack(&top, input),
    }
}
