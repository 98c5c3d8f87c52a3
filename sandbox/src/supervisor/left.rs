//! What supervisors that are gone have left: scratch folders and workspaces.

use std::fs::File;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

/// In the name of a workspace, between its run and the supervisor that made it.
pub(super) const OF: &str = ".of-";
/// Most of them that are found at once.
const MAX_FOLDERS: usize = 10_000;

/// Below the folder of all workspaces; `tmp` has the scratch folders of all supervisors, each locked while its supervisor lives.
pub(super) fn left(root: &Path, tmp: &Path) -> Vec<PathBuf> {
    let scratch = entries(tmp).filter(|folder| !is_locked(folder)).flat_map(|folder| {
        let inside: Vec<PathBuf> = entries(&folder).collect();
        if inside.is_empty() {
            drop(std::fs::remove_dir(&folder));
        }
        inside
    });
    let workspaces = entries(root).filter(|folder| maker(folder).is_some_and(|name| !is_locked(&tmp.join(name))));
    scratch.chain(workspaces).take(MAX_FOLDERS).collect()
}

/// The name of the scratch folder of the supervisor that made a workspace.
fn maker(folder: &Path) -> Option<&str> {
    let (_, rest) = folder.file_name()?.to_str()?.split_once(OF)?;
    rest.rsplit_once('.').map(|(name, _)| name)
}

fn is_locked(folder: &Path) -> bool {
    File::open(folder).is_ok_and(|lock| rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err())
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}
